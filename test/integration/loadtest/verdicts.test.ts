import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test as base } from 'vitest';
import { judge, type Judgement } from '#loadtest/judge/verdict.ts';
import { createHistogram, encodeHistogram } from '#loadtest/measurement/histogram.ts';
import { createMeasurementFile, readMeasurement } from '#loadtest/measurement/measurement-file.ts';
import type { Measurement } from '#loadtest/measurement/measurement.ts';
import type { Plan } from '#loadtest/plans/plan.ts';
import { users } from '#loadtest/plans/users.ts';
import { runPlan } from '#loadtest/run-plan.ts';
import { shop } from '#loadtest/scenarios/shop/shop.ts';
import type { Target } from '#loadtest/targets/target.ts';
import { childPids } from './child-pids.ts';
import { startFakeApi, type Behave, type Behaviour, type FakeApi } from './fake-api.ts';

/** The whole of a load test in small, with limits that a busy machine can keep. */
const plan: Plan = {
  name: 'tiny',
  summary: '',
  scenario: shop({ browse: 1, buy: 2, lookBack: 1 }),
  phases: [
    {
      name: 'tiny',
      script: 'shop',
      load: { kind: 'closed', users: 15, thinkMs: [30, 90] },
      warmUpMs: 1_000,
      durationMs: 2_000,
      timeoutMs: 2_000,
    },
  ],
  judges: users.judges,
  budget: { p95Ms: 1_000, p99Ms: 1_500, errorRate: 0.05 },
};

type Judged = Judgement & { readonly api: FakeApi };

type Fixtures = {
  /** The verdict on a server, by a client that is held to be innocent and not calibrated: how busy this machine is must not decide a test. */
  readonly judged: (behave?: Behave) => Promise<Judged>;
  /** The verdict as it is. */
  readonly judgedWithClient: (behave?: Behave) => Promise<Judged>;
};

const test = base.extend<Fixtures>({
  judged: async ({}, use) => {
    await withServers((measure) => use((behave) => measure({ ...plan, calibrates: false }, behave, withInnocentClient)));
  },
  judgedWithClient: async ({}, use) => {
    await withServers((measure) => use((behave) => measure(plan, behave, (measurement) => measurement)));
  },
});

type Change = (measurement: Measurement) => Measurement;

async function withServers(
  use: (measure: (played: Plan, behave: Behave | undefined, change: Change) => Promise<Judged>) => Promise<void>,
): Promise<void> {
  const open: FakeApi[] = [];
  await use(async (played, behave, change) => {
    const api = await startFakeApi(behave);
    open.push(api);
    const measurement = await play(played, targetOf(api));
    return { ...judge(change(measurement), played.judges), api };
  });
  await Promise.all(open.map((api) => api.close()));
}

async function play(played: Plan, target: Target): Promise<Measurement> {
  const dir = await mkdtemp(join(tmpdir(), 'atalaya-verdict-'));
  const file = createMeasurementFile(dir);
  const hooks = { write: file.write, onStep: () => {}, onSecond: () => {}, signal: AbortSignal.timeout(60_000) };
  try {
    await runPlan(played, { users: undefined, thinkMs: undefined, durationMs: undefined, seed: 5, mix: [] }, target, hooks);
    return await readMeasurement(dir);
  } finally {
    file.close();
    await rm(dir, { recursive: true });
  }
}

function withInnocentClient(measurement: Measurement): Measurement {
  const nothing = encodeHistogram(createHistogram());
  const phases = measurement.phases.map((phase) => ({ ...phase, processVitals: [{ seconds: [], loopDelay: nothing }], sendLag: nothing }));
  return { ...measurement, phases, machine: [] };
}

const targetOf = ({ origin }: FakeApi): Target => ({
  kind: 'given',
  origin,
  loadtestKey: 'k'.repeat(24),
  admin: undefined,
  postgres: undefined,
  pid: undefined,
  stop: async () => {},
});

const brokenIds = ({ checks }: Judgement): string[] => checks.filter(({ outcome }) => outcome === 'broken').map(({ id }) => id);

test('an honest server passes, and the accounts of the run are gone afterwards', async ({ judged }) => {
  const result = await judged();
  expect(result.reasons).toEqual([]);
  expect(result.verdict).toBe('PASS');
  expect(result.api.requests.length).toBeGreaterThan(50);
  expect(result.api.accounts()).toBe(0);
});

test('a server that answers 500 at once fails for its errors, though it is fast', async ({ judged }) => {
  const result = await judged((n) => (n % 5 === 0 ? { status: 500, body: '{"code":"internal"}' } : {}));
  expect(result.verdict).toBe('FAIL');
  expect(brokenIds(result)).toContain('error-rate');
  expect(brokenIds(result)).not.toContain('latency-p95');
  expect(result.reasons[0]).toMatch(/500 at .*: internal/);
});

test('a server that says 200 with nonsense fails, be it once', async ({ judged }) => {
  const result = await judged(once(/products\/\d/, { status: 200, body: '<h1>Welcome to nginx</h1>' }));
  expect(result.verdict).toBe('FAIL');
  expect(brokenIds(result)).toContain('answer-complete');
  expect(result.checks.find(({ id }) => id === 'answer-complete')?.witnesses).toContainEqual(
    expect.objectContaining({ status: 200, received: '<h1>Welcome to nginx</h1>' }),
  );
});

/** Misbehaves toward one request: the first of its kind after a few. */
function once(pattern: RegExp, behaviour: Behaviour): Behave {
  let left = 3;
  return (_n, { method, url }) => (pattern.test(`${method} ${url}`) && (left -= 1) === 0 ? behaviour : {});
}

type Json = Record<string, unknown>;
const inJson = (change: (json: never) => unknown) => (body: string) => JSON.stringify(change(JSON.parse(body) as never));
const aCentMore = inJson((order: Json) => ({ ...order, total: (Math.round(100 * (order['total'] as number)) + 1) / 100 }));
const aPieceMore = inJson((order: Json) => ({ ...order, lines: (order['lines'] as Json[]).map((line) => ({ ...line, quantity: 9 })) }));
const ofAnother = inJson((list: Json[]) => [
  ...list,
  { ...list.at(-1), id_key: 99_999, client_id: 99_999, date: '2026-01-01T00:00:00Z', total: 1, delivery_method: 1, status: 1, version: 1 },
]);

const onceWrong: readonly {
  readonly wrong: string;
  readonly behave: () => Behave;
  readonly id: string;
  readonly about: readonly string[];
}[] = [
  {
    wrong: 'a total a cent too high',
    behave: () => once(/^POST .*orders$/, { change: aCentMore }),
    id: 'order-total',
    about: ['order', 'key'],
  },
  {
    wrong: 'a quantity other than ordered',
    behave: () => once(/^POST .*orders$/, { change: aPieceMore }),
    id: 'order-content',
    about: ['order', 'key'],
  },
  {
    wrong: 'a list without its last item',
    behave: () => once(/products\?/, { change: inJson((list: unknown[]) => list.slice(0, -1)) }),
    id: 'list-members',
    about: ['product'],
  },
  { wrong: 'the order of another in a list', behave: () => once(/orders\?/, { change: ofAnother }), id: 'privacy', about: ['order'] },
  { wrong: 'half an answer', behave: () => once(/products\/\d/, { instead: 'half' }), id: 'answer-complete', about: [] },
  { wrong: '200 for an order that was made', behave: () => once(/^POST .*orders$/, { status: 200 }), id: 'answer-status', about: ['key'] },
];

test.for(onceWrong)(
  'one answer with $wrong in a whole run is a FAIL, named and with a witness',
  async ({ behave, id, about }, { judged, expect: hold }) => {
    const result = await judged(behave());
    hold(result.verdict).toBe('FAIL');
    const [witness] = result.checks.find((check) => check.id === id && check.outcome === 'broken')?.witnesses ?? [];
    hold(witness?.requestId).toMatch(/^r-\d+$/);
    for (const name of about) hold(witness?.about).toHaveProperty(name);
  },
);

test('a server that resets connections fails for its errors', async ({ judged }) => {
  const result = await judged((n) => (n % 5 === 0 ? { instead: 'reset' } : {}));
  expect(result.verdict).toBe('FAIL');
  expect(result.reasons[0]).toMatch(/connection-error at .*ECONNRESET/);
});

test('a server that hangs fails for timeouts and for latency that is at least the timeout', async ({ judged }) => {
  const result = await judged((n) => (n % 5 === 0 ? { instead: 'hang' } : {}));
  expect(result.verdict).toBe('FAIL');
  expect(brokenIds(result)).toEqual(expect.arrayContaining(['latency-p95', 'error-rate']));
  expect(result.reasons.join()).toMatch(/p95 is ≥ 2 s.*timeout at/);
});

test('a server that limits the rate makes the run invalid', async ({ judged }) => {
  const result = await judged((n) => (n % 40 === 39 ? { status: 429, body: '{"code":"rate_limited"}' } : {}));
  expect(result.reasons.filter((reason) => !reason.includes('429'))).toEqual([]);
  expect(result.verdict).toBe('INVALID');
  expect(result.reasons.join()).toMatch(/answered 429: the run measured the rate limit/);
});

test('a server that says yes to orders it does not keep fails, by name', async ({ judged }) => {
  const result = await judged((n, { method }) => (method === 'POST' && n % 2 === 0 ? { forget: true } : {}));
  expect(result.verdict).toBe('FAIL');
  expect(brokenIds(result)).toContain('orders-kept');
  expect(result.reasons.join()).toMatch(/order \d+ was acknowledged and does not exist/);
});

test('a server that places an order again when asked again fails, by name', async ({ judged }) => {
  const result = await judged((_n, { method }) => (method === 'POST' ? { forget: true } : {}));
  expect(result.verdict).toBe('FAIL');
  expect(brokenIds(result)).toContain('no-duplicate-orders');
});

test('a server that claims more time than passed makes the run invalid', async ({ judged }) => {
  const result = await judged(() => ({ headers: { 'server-timing': 'db;dur=9000' } }));
  expect(result.verdict).toBe('INVALID');
  expect(brokenIds(result)).toEqual(['server-agreement']);
});

test.skipIf(process.platform !== 'linux')(
  'a client that hangs makes the run invalid, however fast the answers look',
  async ({ judgedWithClient }) => {
    let stopped = false;
    const result = await judgedWithClient((n) => {
      if (n > 60 && !stopped) {
        stopped = true;
        void pauseGenerators();
      }
      return {};
    });
    expect(result.verdict).toBe('INVALID');
    expect(result.reasons.join()).toMatch(/client itself was|fell behind its own schedule/);
  },
);

/** Holds every generator process for a while, as a machine without memory would. */
async function pauseGenerators(): Promise<void> {
  const pids = childPids();
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  await sleep(1_700);
  for (const pid of pids) process.kill(pid, 'SIGCONT');
}
