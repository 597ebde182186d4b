import { createHistogram, encodeHistogram, recordMs } from '#loadtest/measurement/histogram.ts';
import type {
  Budget,
  MachineSample,
  Measurement,
  PlayedPhase,
  Slice,
  TargetAtRest,
  TimingBand,
} from '#loadtest/measurement/measurement.ts';
import type { Check } from '#loadtest/judge/check.ts';
import { judge, type Judgement } from '#loadtest/judge/verdict.ts';
import type { Witness } from '#loadtest/measurement/witness.ts';
import { users } from '#loadtest/plans/users.ts';
import type { ShopBooks } from '#loadtest/scenarios/shop/books.ts';
import type { OrderAttempt } from '#loadtest/scenarios/shop/history.ts';
import type { StoredOrder } from '#loadtest/scenarios/shop/stored-books.ts';

export const budget: Budget = { p95Ms: 200, p99Ms: 500, errorRate: 0.01 };

/** A histogram that holds these durations in milliseconds. */
export function histogramOf(...values: readonly number[]): string {
  const histogram = createHistogram();
  for (const ms of values) recordMs(histogram, ms);
  return encodeHistogram(histogram);
}

/** That many latencies, all the same. */
export const many = (count: number, ms: number): number[] => Array.from({ length: count }, () => ms);

/** One second of one endpoint; every latency given is a right answer unless counts say otherwise. */
export function slice(second: number, latencies: readonly number[], counts: Partial<Slice> = {}): Slice {
  const zero = { ok: 0, refused: 0, limited: 0, httpErrors: 0, wrongAnswers: 0, timeouts: 0, connectionErrors: 0 };
  const settled = { ...zero, ok: latencies.length, ...counts };
  const sent =
    settled.ok +
    settled.refused +
    settled.limited +
    settled.httpErrors +
    settled.wrongAnswers +
    settled.timeouts +
    settled.connectionErrors;
  return { second, endpoint: 'GET /products/:id', sent, latency: histogramOf(...latencies), ...settled };
}

export const timingBand = (band: number, count: number, sumMs: Partial<TimingBand['sumMs']>, impossible = 0): TimingBand => ({
  endpoint: 'GET /products/:id',
  band,
  count,
  latencySumMs: count * 1.5 * 2 ** band,
  sumMs: { queue: 0, pool: 0, db: 0, app: 0, ...sumMs },
  impossible,
});

const stored: StoredOrder = {
  id: 7,
  client: 1,
  totalCents: 1_990,
  deliveryMethod: 1,
  status: 1,
  version: 1,
  lines: [{ id: 70, product: 5, quantity: 1, priceCents: 1_990, name: 'Lamp' }],
};
const goods = {
  products: [{ id: 5, name: 'Lamp', description: null, priceCents: 1_990, stock: 10, categoryId: null, version: 1 }],
  categories: [],
};

/** Of a shop that sold one lamp, to the buyer of `attempt`. */
export const rightBooks: ShopBooks = {
  isShared: false,
  before: goods,
  after: goods,
  stored: {
    orders: [stored],
    ledger: {
      movements: [{ id: 2, product: 5, quantity: -1, reason: 'sale', order: 7, line: 70 }],
      strayMovements: [],
      returns: [],
      products: [{ id: 5, stock: 9, moved: 9, restocked: 0, restocks: 0 }],
    },
  },
  notes: [],
};

/** The same with other orders in it, or another ledger. */
export const booksWith = (
  orders: readonly StoredOrder[],
  ledger: Partial<NonNullable<NonNullable<ShopBooks['stored']>['ledger']>> = {},
): ShopBooks => ({
  ...rightBooks,
  stored: { orders, ledger: { ...(rightBooks.stored?.ledger as NonNullable<NonNullable<ShopBooks['stored']>['ledger']>), ...ledger } },
});

export const atRest: TargetAtRest = {
  connectionsInUse: 0,
  openTransactions: 0,
  holders: [],
  openSessions: [],
  requestsServed: null,
  notes: [],
};

export const attempt: OrderAttempt = {
  key: 'k-1',
  client: 1,
  deliveryMethod: 1,
  lines: [{ product: 5, quantity: 1 }],
  sentAtMs: 1,
  endedAtMs: 2,
  outcome: 'acknowledged',
  status: 201,
  requestId: 'r-1',
  order: 7,
  totalCents: 1_990,
};

/** What the buyers wrote down: the one right order, and others. */
export const orders = (...others: readonly Partial<OrderAttempt>[]): Pick<Measurement, 'events'> => ({
  events: [attempt, ...others.map((other) => ({ ...attempt, ...other }))].map((one) => ({ kind: 'order', ...one })),
});

const healthyPhase: PlayedPhase = {
  name: 'users',
  script: 'shop',
  load: { kind: 'closed', users: 400, thinkMs: [1_000, 3_000] },
  warmUpMs: 1_000,
  durationMs: 2_000,
  timeoutMs: 15_000,
  processes: 1,
  startSecond: 0,
  inFlightAtEnd: 0,
  serverTimings: [timingBand(3, 200, { db: 1_000, app: 600 })],
  outsideServer: histogramOf(1, 1, 1),
  failures: [],
  slowest: [],
  processVitals: [{ seconds: [{ second: 1, utilization: 0.2, cpu: 0.2, maxDelayMs: 2 }], loopDelay: histogramOf(0.1, 0.2, 0.3) }],
  sendLag: histogramOf(0.5, 0.5, 1),
  lost: [],
};

/** A second in which the machine had nothing else to do. */
export const quietSecond = (second: number, changes: Partial<MachineSample> = {}): MachineSample => ({
  second,
  cpu: { busy: 0.4, own: 0.1, target: 0.3, others: 0 },
  idleAnswerMs: 1,
  ...changes,
});

/** A short, healthy run: 100 answers of 10 ms in each of 3 seconds, an innocent client, books that agree. */
export function healthyMeasurement(changes: Partial<Measurement> = {}): Measurement {
  return {
    version: 2,
    plan: 'users',
    scenario: 'shop',
    runId: 'lt-1',
    startedAt: '2026-01-01T00:00:00.000Z',
    target: { origin: 'http://127.0.0.1:8000', kind: 'own', effective: null },
    seed: 1,
    mix: [],
    setUp: { requests: 403, failed: 0, witnesses: [], problem: null, disturbed: [] },
    disturbed: [],
    budget,
    phases: [healthyPhase],
    slices: [0, 1, 2].map((second) => slice(second, many(100, 10))),
    ...orders(),
    client: {
      calibration: { p99Ms: 5, requestsPerSecond: 200 },
      coLocated: true,
      cores: 2,
    },
    samples: [],
    machine: [0, 1, 2].map((second) => quietSecond(second)),
    rest: atRest,
    books: rightBooks,
    left: [],
    ...changes,
  };
}

/** The healthy run with something else about its one phase. */
export const withPhase = (changes: Partial<PlayedPhase>, more: Partial<Measurement> = {}): Measurement =>
  healthyMeasurement({ ...more, phases: [{ ...healthyPhase, ...changes }] });

export const withClient = (changes: Partial<Measurement['client']>): Measurement => {
  const healthy = healthyMeasurement();
  return { ...healthy, client: { ...healthy.client, ...changes } };
};

/** As the plan `users` judges it. */
export const judged = (measurement: Measurement): Judgement => judge(measurement, users.judges);

export const checkOf = (measurement: Measurement, id: string): Check | undefined =>
  judged(measurement).checks.find((check) => check.id === id);

/** What a user reads of one check: outcome, found, allowed, reason. */
export const words = (measurement: Measurement, id: string): (string | undefined)[] => {
  const { outcome, measured, limit, reason } = checkOf(measurement, id) ?? {};
  return [outcome, measured, limit, reason];
};

/** A run of so many seconds, each as `second` says. */
export const run = (seconds: number, second: (index: number) => readonly Slice[], more: Partial<Measurement> = {}): Measurement =>
  withPhase({ durationMs: (seconds - 1) * 1_000 }, { slices: Array.from({ length: seconds }, (_, i) => second(i)).flat(), ...more });

/** One second of orders, which are asked for less often than products. */
export const orderSlice = (second: number, latencies: readonly number[], counts: Partial<Slice> = {}): Slice => ({
  ...slice(second, latencies, counts),
  endpoint: 'POST /orders',
});

/** Of the slowest answers one. */
export const slowAnswer = (second: number, endpoint: string, latencyMs: number): Witness => ({
  says: '',
  about: { key: 'lt-1-2' },
  endpoint,
  second,
  latencyMs,
  requestId: 'r-1',
});

/** Vitals of a client whose event loop was late by that much, in each of these seconds. */
export const lateClient = (maxDelayMs: number, ...seconds: readonly number[]): Pick<PlayedPhase, 'processVitals'> => ({
  processVitals: [{ seconds: seconds.map((second) => ({ second, utilization: 0.2, cpu: 0.2, maxDelayMs })), loopDelay: histogramOf(0.1) }],
});
