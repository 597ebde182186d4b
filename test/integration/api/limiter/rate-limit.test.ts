import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect } from 'vitest';
import { adminToken, call, eventually, type Answer, type ApiProcess } from '#test/support/api-process.ts';
import { hasRedis, startRedis } from '#test/support/redis.ts';
import { asLoadtest, makeCustomer, test, type Customer } from '../processes/running-api.ts';

const periodMs = 3_000;
const limited = { RATE_LIMIT_CALLS: '20', RATE_LIMIT_PERIOD: '3', RATE_LIMIT_LOADTEST_CALLS: '20' };
const withRedis = (port: number) => ({
  ...limited,
  API_WORKERS: '4',
  REDIS_ENABLED: 'true',
  REDIS_PORT: `${port}`,
  REDIS_HOST: '127.0.0.1',
});

const quotaExceeded = 'https://iana.org/assignments/http-problem-types#quota-exceeded';

/** A new address each, so that every trial has a quota of its own. */
let addresses = 0;
const newAddress = () => ({ 'x-forwarded-for': `198.51.${Math.floor((addresses += 1) / 250)}.${addresses % 250}` });

const ask = (api: ApiProcess, headers: Readonly<Record<string, string>>): Promise<Answer> =>
  call(`${api.url}/products`, { headers: { connection: 'close', ...headers } });

/** Asks many times at once, over new connections, so that all workers take part. */
const burst = (api: ApiProcess, headers: Readonly<Record<string, string>>, count: number): Promise<Answer[]> =>
  Promise.all(Array.from({ length: count }, () => ask(api, headers)));

const accepted = (answers: readonly Answer[]): Answer[] => answers.filter(({ status }) => status === 200);
const remainingOf = ({ headers }: Answer): number => Number(headers.get('x-ratelimit-remaining'));

/** A burst that takes as long as the period may let in more, and is played again. */
async function expectExact(api: ApiProcess, trials: number): Promise<void> {
  for (let [trial, left] = [0, 3 * trials]; trial < trials; left -= 1) {
    expect(left, 'bursts take too long to tell').toBeGreaterThan(0);
    const sentAtMs = performance.now();
    const answers = await burst(api, newAddress(), 60);
    if (performance.now() - sentAtMs >= periodMs) continue;
    trial += 1;
    expect(accepted(answers), `trial ${trial}`).toHaveLength(20);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(40);
    expect(
      accepted(answers)
        .map(remainingOf)
        .toSorted((a, b) => b - a),
    ).toEqual(Array.from({ length: 20 }, (_, index) => 19 - index));
  }
}

/** Fires without pause for some periods. No window of 3 s, by the clock of this process, holds more than the limit. */
async function expectNoFullerWindow(api: ApiProcess): Promise<void> {
  const headers = newAddress();
  const times: { sentAt: number; answeredAt: number }[] = [];
  for (const endsAt = performance.now() + 7_000; performance.now() < endsAt;) {
    const sentAt = performance.now();
    for (const _ of accepted(await burst(api, headers, 8))) times.push({ sentAt, answeredAt: performance.now() });
  }
  // Certain to lie within one window: sent after its begin, answered before its end.
  for (const { sentAt: begin } of times) {
    const inside = times.filter(({ sentAt, answeredAt }) => sentAt >= begin && answeredAt < begin + 3_000);
    expect(inside.length).toBeLessThanOrEqual(20);
  }
  expect(times.length).toBeGreaterThan(40);
}

async function expectHonestRetryAfter(api: ApiProcess): Promise<void> {
  const headers = newAddress();
  await burst(api, headers, 20);
  const refused = await ask(api, headers);
  const seconds = Number(refused.headers.get('retry-after'));
  expect(refused.body).toMatchObject({ code: 'rate_limited', retry_after: seconds, 'violated-policies': ['default'], type: quotaExceeded });
  expect(seconds).toBeGreaterThanOrEqual(1);
  expect(seconds).toBeLessThanOrEqual(3);
  expect(refused.headers.get('ratelimit')).toBe(`"default";r=0;t=${seconds}`);
  await sleep(seconds * 1_000);
  expect((await ask(api, headers)).status).toBe(200);
}

describe('20 requests in 3 seconds', () => {
  const trusting = { TRUSTED_PROXIES: '127.0.0.1' };

  test('are exactly 20 on two workers without Redis', { timeout: 90_000 }, async ({ start }) => {
    const api = await start({ ...limited, ...trusting });
    await expectExact(api, 10);
    await expectNoFullerWindow(api);
    await expectHonestRetryAfter(api);
  });

  test.skipIf(!hasRedis)('are exactly 20 on four workers with Redis', { timeout: 90_000 }, async ({ start }) => {
    const redis = await startRedis();
    try {
      const api = await start({ ...withRedis(redis.port), ...trusting });
      expect((await call(`${api.url}/health_check`)).body).toMatchObject({
        limiter: { store: 'redis' },
        checks: { redis: { status: 'up' } },
      });
      await expectExact(api, 10);
      await expectNoFullerWindow(api);
      await expectHonestRetryAfter(api);
    } finally {
      await redis.stop();
    }
  });

  test('are counted for each caller, and for nobody who only claims to be another', async ({ start }) => {
    const api = await start(limited);
    const [ana, ben] = [await makeCustomer(api), await makeCustomer(api)] as [Customer, Customer];
    expect(accepted(await burst(api, ana.headers, 25))).toHaveLength(20);
    expect(accepted(await burst(api, ben.headers, 15))).toHaveLength(15);
    const spoofed = await Promise.all(Array.from({ length: 30 }, () => ask(api, newAddress())));
    expect(accepted(spoofed), 'X-Forwarded-For of an untrusted peer gives no new quota').toHaveLength(20);
    const health = await Promise.all(['/health_check', '/livez', '/readyz'].map((path) => call(`${api.url}${path}`)));
    expect(health.map(({ status }) => status)).toEqual([200, 200, 200]);
  });

  test('also limit guessing of credentials and of paths', async ({ start }) => {
    const api = await start(limited);
    const guesses = await burst(api, { authorization: 'Bearer guess' }, 15);
    expect(guesses.map(({ status }) => status)).toEqual(Array(15).fill(401));
    const paths = await Promise.all(Array.from({ length: 10 }, (_, index) => call(`${api.url}/guess/${index}`)));
    expect(paths.filter(({ status }) => status === 404)).toHaveLength(5);
    expect(paths.filter(({ status }) => status === 429)).toHaveLength(5);
  });
});

test('logins are limited to 5 a minute beside the default, and load tests have a quota of their own', async ({ start }) => {
  const api = await start();
  const login = () => call(`${api.url}/clients/login`, { body: { email: 'nobody@example.com', password: 'wrong-password' } });
  // One by one: at the same time, a busy machine would refuse some for the time a password takes.
  const logins: Answer[] = [];
  while (logins.length < 8) logins.push(await login());
  expect(logins.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
  const refused = logins.find(({ status }) => status === 429);
  expect(refused?.body).toMatchObject({ 'violated-policies': ['login'], type: quotaExceeded });
  expect(refused?.headers.get('ratelimit-policy')).toBe('"default";q=100;w=60, "login";q=5;w=60');
  expect((await call(`${api.url}/products`, { headers: asLoadtest })).headers.get('ratelimit-policy')).toBe('"loadtest";q=100000;w=60');
  await Promise.all(Array.from({ length: 12 }, () => makeCustomer(api)));
});

const metrics = (api: ApiProcess) => call(`${api.adminUrl}/metrics`, { headers: { authorization: `Bearer ${adminToken}` } });
const store = (name: string) => (answer: Answer) => (answer.body['limiter'] as { store?: string } | undefined)?.store === name;
const health = (api: ApiProcess) => call(`${api.url}/health_check`, { headers: { connection: 'close' } });

describe.skipIf(!hasRedis)('when Redis does not answer', () => {
  test('frozen or gone, requests are counted locally, none fails or hangs, and it is told', { timeout: 90_000 }, async ({ start }) => {
    const redis = await startRedis();
    let second: Awaited<ReturnType<typeof startRedis>> | undefined;
    try {
      const api = await start({ ...withRedis(redis.port), TRUSTED_PROXIES: '127.0.0.1', API_WORKERS: '2' });
      redis.freeze();
      const frozen = await burst(api, newAddress(), 60);
      expect(frozen.filter(({ status }) => status !== 200 && status !== 429)).toEqual([]);
      expect(accepted(frozen).length).toBeGreaterThanOrEqual(20);
      expect(accepted(frozen).length).toBeLessThanOrEqual(40);
      // Once fallen back, the primary counts for the machine: exact again.
      expect(accepted(await burst(api, newAddress(), 60))).toHaveLength(20);
      const told = await eventually(() => health(api), store('local'));
      expect([told.status, told.body['status']]).toEqual([200, 'degraded']);
      expect((await metrics(api)).body['text']).toMatch(/^atalaya_limiter_fallbacks_total [1-9]/m);

      redis.thaw();
      await eventually(async () => (await ask(api, newAddress()), health(api)), store('redis'));
      await redis.stop();
      expect(accepted(await burst(api, newAddress(), 60)).length).toBeGreaterThanOrEqual(20);
      await eventually(() => health(api), store('local'));

      second = await startRedis(redis.port);
      await eventually(
        () => metrics(api),
        ({ body }) => String(body['text']).includes('\natalaya_limiter_store{store="redis"} 2\n'),
      );
      await expectExact(api, 2);
    } finally {
      await redis.stop();
      await second?.stop();
    }
  });
});
