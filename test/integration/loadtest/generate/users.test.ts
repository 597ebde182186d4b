import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test as base } from 'vitest';
import { playPhase } from '#loadtest/generate/play-phase.ts';
import { decodeHistogram, percentileMs } from '#loadtest/measurement/histogram.ts';
import { settledCount } from '#loadtest/measurement/merge.ts';
import { latencyOf as ofAll } from '#test/accuracy/known-server.ts';
import { childPids } from '../child-pids.ts';
import { startFakeApi, type Behave, type FakeApi } from '../fake-api.ts';
import { claimsOf, type Claim, type OrderAttempt } from '#loadtest/scenarios/shop/history.ts';
import { countsOf, latencyOf, runSmallLoad, smallCatalogue, type SmallResult } from './small-load.ts';

type Fake = (behave?: Behave) => Promise<FakeApi>;

const test = base.extend<{ fake: Fake }>({
  fake: async ({}, use) => {
    const open: FakeApi[] = [];
    await use(async (behave) => {
      const api = await startFakeApi(behave);
      open.push(api);
      return api;
    });
    await Promise.all(open.map((api) => api.close()));
  },
});

/** What a machine busy with other tests may add between two clocks; a mistake of the generator shows as less than the truth, or as far more. */
const busyMs = 400;
const resolution = 0.001;

/** Both ways of driving users; whatever is promised holds for both. */
const ways = [
  { way: 'users who think', thinkMs: [20, 60] as const },
  { way: 'users who never pause', thinkMs: undefined },
];

// Each test mostly waits: its processes do little, so several can do it side by side.
describe.concurrent.each(ways)('$way', ({ thinkMs }) => {
  test('measures a known latency: never less, and more only by what the machine takes', async ({ fake }) => {
    const api = await fake((n) => ({ delayMs: n % 10 === 0 ? 200 : 50 }));
    const result = await runSmallLoad(api.origin, { thinkMs });
    const truth = ofAll(api.servedMs);
    expect(countsOf(result).ok).toBe(truth.requests);
    expect(truth.p95Ms).toBeGreaterThanOrEqual(199);
    for (const [percentile, trueMs] of [
      [50, truth.p50Ms ?? Number.NaN],
      [95, truth.p95Ms ?? Number.NaN],
    ] as const) {
      expect(latencyOf(result, percentile)).toBeGreaterThanOrEqual((1 - resolution) * trueMs);
      expect(latencyOf(result, percentile)).toBeLessThan((1 + resolution) * trueMs + busyMs);
    }
  });

  test('accounts for every request: what was sent is what the server saw and what came to an end', async ({ fake }) => {
    const api = await fake((n) => (n % 7 === 3 ? { status: 500 } : n % 7 === 5 ? { body: 'nonsense' } : {}));
    const result = await runSmallLoad(api.origin, { thinkMs, durationMs: 800 });
    const counts = countsOf(result);
    expect(counts.sent).toBe(api.requests.length);
    expect(settledCount(counts) + result.inFlightAtEnd).toBe(counts.sent);
    expect(result.inFlightAtEnd).toBe(0);
    expect(counts.httpErrors).toBeGreaterThan(0);
    expect(counts.wrongAnswers).toBeGreaterThan(0);
    expect(result.lost).toEqual([]);
  });

  test('records a request without an answer as lasting at least the timeout', async ({ fake }) => {
    const api = await fake((n) => (n % 2 === 1 ? { instead: 'hang' } : {}));
    const result = await runSmallLoad(api.origin, { thinkMs, timeoutMs: 1_000, durationMs: 1_500 });
    expect(countsOf(result).timeouts).toBeGreaterThanOrEqual(10);
    expect(latencyOf(result, 100)).toBeGreaterThanOrEqual(999);
    expect(settledCount(countsOf(result)) + result.inFlightAtEnd).toBe(countsOf(result).sent);
  });

  test.for(['reset', 'fin', 'half'] as const)(
    'counts a connection ended by "%s" once and measures the rest rightly',
    async (instead, { fake }) => {
      const api = await fake((n) => (n % 20 === 10 ? { instead } : { delayMs: 20 }));
      const result = await runSmallLoad(api.origin, { thinkMs });
      const counts = countsOf(result);
      const cut = api.requests.filter((_, n) => n % 20 === 10).length;
      // An answer that had begun is an answer, and a wrong one.
      const [broken, none] = instead === 'half' ? [cut, 0] : [0, cut];
      expect([counts.wrongAnswers, counts.connectionErrors]).toEqual([broken, none]);
      expect(counts.ok + cut).toBe(counts.sent);
      // Were an answer matched to an older request, the median would grow with the run.
      expect(latencyOf(result, 50)).toBeLessThan(busyMs);
    },
  );

  test('does not hammer a port where nothing listens any more', async () => {
    const api = await startFakeApi();
    await api.close();
    const result = await runSmallLoad(api.origin, { thinkMs, users: 5, durationMs: 1_000 });
    const counts = countsOf(result);
    expect(counts.connectionErrors).toBe(counts.sent);
    expect(counts.sent).toBeLessThan(150);
  });

  test('every user acts under an identity of its own, on one connection', async ({ fake }) => {
    const api = await fake();
    await runSmallLoad(api.origin, { thinkMs, users: 8, durationMs: 1_500 });
    expect(new Set(api.requests.map(({ headers }) => headers.authorization)).size).toBe(8);
    expect(api.connections()).toBe(8);
    const orders = api.requests.filter(({ method }) => method === 'POST');
    expect(orders.length).toBeGreaterThan(0);
    for (const { headers, body } of orders) {
      const index = Number(/token-(\d+)/.exec(headers.authorization ?? '')?.[1]);
      expect(headers['idempotency-key']).toMatch(new RegExp(`^test-${index}-\\d+$`));
      expect((JSON.parse(body) as { client_id: number }).client_id).toBe(100 + index);
    }
  });

  test('the same seed asks for the same things in the same order, however fast the answers are', async ({ fake }) => {
    const [fast, slow] = [await fake(), await fake(() => ({ delayMs: 30 }))];
    await runSmallLoad(fast.origin, { thinkMs, users: 2, durationMs: 1_500 });
    await runSmallLoad(slow.origin, { thinkMs, users: 2, durationMs: 1_500, processes: 2 });
    for (const token of ['Bearer token-0', 'Bearer token-1']) {
      const [a, b] = [fast, slow].map((api) =>
        api.requests
          // Which orders are looked at follows the answers.
          .filter(({ headers, url }) => headers.authorization === token && !/\/orders[/?]/.test(url))
          .map(({ method, url, body }) => `${method} ${url} ${body}`),
      );
      const common = Math.min(a?.length ?? 0, b?.length ?? 0);
      expect(common).toBeGreaterThan(3);
      expect(a?.slice(0, common)).toEqual(b?.slice(0, common));
    }
  });
});

test('what a process reports last comes whole, however long it is, and however busy whoever plays it is', async ({ fake }) => {
  const api = await fake(() => ({ body: 'pong' }));
  const noteLength = 5_000_000;
  const events: unknown[] = [];
  const block = setInterval(() => {
    if (api.requests.length === 0) return;
    clearInterval(block);
    // Longer than the phase and its last answers take.
    for (const untilMs = performance.now() + 3_000; performance.now() < untilMs;);
  }, 5);
  const { lost } = await playPhase({
    origin: api.origin,
    phase: {
      name: 'busy',
      script: 'ping',
      load: { kind: 'saturating', users: 2 },
      warmUpMs: 0,
      durationMs: 500,
      timeoutMs: 1_000,
      processes: 1,
    },
    startSecond: 0,
    seed: 1,
    crowdFile: join(import.meta.dirname, '../ping-crowd.ts'),
    facts: { pong: 'pong', noteLength },
    users: [{}, {}],
    onSlices: () => {},
    onEvents: (news) => events.push(...news),
  });
  expect(lost).toEqual([]);
  expect(events).toMatchObject([{ note: expect.toSatisfy((note: string) => note.length === noteLength) as string }]);
});

const claimsIn = ({ events }: SmallResult): Claim[] => claimsOf(events as OrderAttempt[]);

test('another seed asks for other things', async ({ fake }) => {
  const [one, two] = [await fake(), await fake()];
  await runSmallLoad(one.origin, { users: 1, durationMs: 500, seed: 1 });
  await runSmallLoad(two.origin, { users: 1, durationMs: 500, seed: 2 });
  expect(one.requests.slice(0, 5).map(({ url }) => url)).not.toEqual(two.requests.slice(0, 5).map(({ url }) => url));
});

test('counts an order once however often it is sent, and notices a second order for the same key', async ({ fake }) => {
  const honest = await fake();
  const first = await runSmallLoad(honest.origin, { thinkMs: [5, 10] });
  const keys = new Set(honest.requests.filter(({ method }) => method === 'POST').map(({ headers }) => headers['idempotency-key']));
  expect(honest.requests.filter(({ method }) => method === 'POST').length).toBeGreaterThan(keys.size);
  expect(claimsIn(first).map(({ asked, outcome, orders }) => [asked.key, outcome, orders.length])).toEqual(
    claimsIn(first).map(({ asked }) => [asked.key, 'acknowledged', 1]),
  );
  expect(new Set(claimsIn(first).map(({ asked }) => asked.key))).toEqual(keys);

  const forgetful = await fake((_n, { method }) => (method === 'POST' ? { forget: true } : {}));
  const second = await runSmallLoad(forgetful.origin, { thinkMs: [5, 10] });
  expect(claimsIn(second).some(({ orders }) => orders.length === 2)).toBe(true);
});

test('a generator process that fails is named, and what the others did is kept', async ({ fake }) => {
  const api = await fake();
  const catalogue = { ...smallCatalogue, goods: { products: [], categories: [] }, orderable: [] };
  const result = await runSmallLoad(api.origin, { processes: 2, durationMs: 1_200, catalogue });
  expect(result.lost).toEqual(['process 1 failed: nothing to pick from', 'process 2 failed: nothing to pick from']);
});

test.skipIf(process.platform !== 'linux')(
  'a generator process that is killed is named, and what the others did is kept',
  async ({ fake }) => {
    const api = await fake();
    const running = runSmallLoad(api.origin, { processes: 2, durationMs: 1_500 });
    await expect.poll(() => api.requests.length, { timeout: 15_000 }).toBeGreaterThan(10);
    process.kill(childPids()[0] ?? Number.NaN, 'SIGKILL');
    const result = await running;
    expect(result.lost).toEqual([expect.stringMatching(/^process \d ended early \(SIGKILL\)/)]);
    expect(countsOf(result).ok).toBeGreaterThan(0);
  },
);

test.skipIf(process.platform !== 'linux')('a client that hangs for a while shows in its own vitals', async ({ fake }) => {
  const api = await fake();
  const running = runSmallLoad(api.origin, { durationMs: 3_000 });
  await expect.poll(() => api.requests.length, { timeout: 15_000 }).toBeGreaterThan(10);
  const [pid = Number.NaN] = childPids();
  process.kill(pid, 'SIGSTOP');
  await sleep(1_200);
  process.kill(pid, 'SIGCONT');
  const result = await running;
  expect(percentileMs(decodeHistogram(result.processVitals[0]?.loopDelay ?? ''), 99)).toBeGreaterThan(500);
  expect(percentileMs(decodeHistogram(result.sendLag), 100)).toBeGreaterThan(500);
});
