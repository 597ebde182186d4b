import { once } from 'node:events';
import { request } from 'node:http';
import { describe, expect } from 'vitest';
import { cpuSeconds, processTree, readProcesses, residentBytes } from '#lib/proc.ts';
import { call, eventually, type Answer } from '#test/support/api-process.ts';
import { test, type RunningApi } from '../processes/running-api.ts';

const oneWorker = { API_WORKERS: '1', RATE_LIMIT_ENABLED: 'false' };
const logIn = (api: RunningApi): Promise<Answer> =>
  call(`${api.url}/clients/login`, { body: { email: 'nobody@example.com', password: 'a wrong password' } });

async function timed<T>(work: () => Promise<T>): Promise<{ readonly ms: number; readonly result: T }> {
  const startedAt = performance.now();
  const result = await work();
  return { ms: performance.now() - startedAt, result };
}

/** So many send a login and hang up once it waits for its turn. */
async function logInAndLeave(api: RunningApi, leavers: number): Promise<void> {
  const body = JSON.stringify({ email: 'nobody@example.com', password: 'a wrong password' });
  const requests = Array.from({ length: leavers }, () => {
    const sent = request(`${api.url}/clients/login`, { method: 'POST', headers: { 'content-type': 'application/json' } });
    sent.on('error', () => {}).end(body);
    return sent;
  });
  await Promise.all(requests.map((sent) => once(sent, 'finish')));
  // What is asked later is answered later: by then they are in the queue.
  for (let read = 0; read < 3; read += 1) await call(`${api.url}/products/1`);
  for (const sent of requests) sent.destroy();
}

/** Seconds of CPU, whoever else uses the machine, that the API spends on what is done. */
async function cpuOf(api: RunningApi, work: () => Promise<void>): Promise<number> {
  const spent = async (): Promise<number> => cpuSeconds(processTree(await readProcesses(), api.child.pid ?? 0));
  const before = await spent();
  await work();
  return (await spent()) - before;
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

  test('give the 16 MiB that each password takes back to the machine', async ({ start }) => {
    const api = await start(oneWorker);
    const taken = async (): Promise<number> => residentBytes(processTree(await readProcesses(), api.child.pid ?? 0));
    for (let read = 0; read < 20; read += 1) await call(`${api.url}/products/1`);
    const before = await taken();
    for (let pair = 0; pair < 8; pair += 1) await Promise.all([logIn(api), logIn(api)]);
    expect((await taken()) - before).toBeLessThan(40 * 2 ** 20);
  });

  test('whose clients have left are not checked, and leave their place to those who wait', async ({ start }) => {
    const api = await start(oneWorker);
    const asked = 10;
    const checked = await cpuOf(api, async () => {
      for (let login = 0; login < asked; login += 1) await logIn(api);
    });
    const rounds = 8;
    const leavers = 10;
    const left = await cpuOf(api, async () => {
      for (let round = 0; round < rounds; round += 1) {
        await logInAndLeave(api, leavers);
        await eventually(
          () => logIn(api),
          ({ status }) => status === 401,
        );
      }
    });
    // The login of whoever waits is in it, and one that was begun before its client left.
    expect(left / (rounds * leavers)).toBeLessThan(0.6 * (checked / asked));
  });
});
