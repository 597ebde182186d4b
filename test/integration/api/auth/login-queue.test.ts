import { once } from 'node:events';
import { request } from 'node:http';
import { describe, expect } from 'vitest';
import { call, type Answer } from '#test/support/api-process.ts';
import { test, type RunningApi } from '../processes/running-api.ts';

const oneWorker = { API_WORKERS: '1', RATE_LIMIT_ENABLED: 'false' };
const logIn = (api: RunningApi): Promise<Answer> =>
  call(`${api.url}/clients/login`, { body: { email: 'nobody@example.com', password: 'a wrong password' } });

async function timed<T>(work: () => Promise<T>): Promise<{ readonly ms: number; readonly result: T }> {
  const startedAt = performance.now();
  const result = await work();
  return { ms: performance.now() - startedAt, result };
}

/** Sends a login whole, and hangs up without waiting for the answer. */
async function logInAndLeave(api: RunningApi): Promise<void> {
  const body = JSON.stringify({ email: 'nobody@example.com', password: 'a wrong password' });
  const req = request(`${api.url}/clients/login`, { method: 'POST', headers: { 'content-type': 'application/json' } });
  req.on('error', () => {});
  req.end(body);
  await once(req, 'finish');
  req.destroy();
}

describe('logins', { timeout: 60_000 }, () => {
  test('150 at once: those that would wait for more than a second are refused at once, and told when to come again', async ({ start }) => {
    const api = await start(oneWorker);
    const answers = await Promise.all(Array.from({ length: 150 }, () => timed(() => logIn(api))));
    const refused = answers.filter(({ result }) => result.status === 503);
    const checked = answers.filter(({ result }) => result.status === 401);
    expect(refused.length + checked.length).toBe(150);
    expect(refused.length).toBeGreaterThan(75);
    for (const { result } of refused) {
      expect(result.body['code']).toBe('overloaded');
      expect(Number(result.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    }
    const middle = (some: typeof answers): number => some.map(({ ms }) => ms).toSorted((a, b) => a - b)[some.length >> 1] ?? NaN;
    expect(middle(refused), 'refusals do not wait for the others').toBeLessThan(middle(checked));
  });

  test('whose clients have left leave their place to those who wait', async ({ start }) => {
    const api = await start(oneWorker);
    const alone = await timed(() => logIn(api));
    for (let round = 0; round < 5; round += 1) {
      await Promise.all(Array.from({ length: 30 }, () => logInAndLeave(api)));
      const next = await timed(() => logIn(api));
      expect(next.result.status, 'a queue of those who left refuses nobody').toBe(401);
      expect(next.ms).toBeLessThan(alone.ms * 5 + 500);
    }
  });
});
