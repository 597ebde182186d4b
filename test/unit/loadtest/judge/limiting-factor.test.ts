import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { attributeLatency } from '#loadtest/judge/attribution.ts';
import { limitingFactor } from '#loadtest/judge/limiting-factor.ts';
import type { MachineSample, ServerSample } from '#loadtest/measurement/measurement.ts';
import { quietSecond, timingBand, withPhase } from '../build-measurement.ts';

test('the slowest answers decide, not the many fast ones', () => {
  const bands = [timingBand(2, 950, { db: 4_000 }), timingBand(9, 50, { pool: 35_000, db: 1_000 })];
  const attribution = attributeLatency(bands);
  expect(attribution?.pool).toBeCloseTo(35_000 / 38_400, 2);
});

test.each([
  { sumMs: { pool: 700 }, says: /waited for a database connection \(pool: 91\.1 %/ },
  { sumMs: { db: 700 }, says: /database took its time/ },
  { sumMs: { app: 700 }, says: /own code/ },
  { sumMs: { queue: 700 }, says: /before their handler/ },
  { sumMs: {}, says: /^the time passed before the server’s clock started or after it stopped: .* \(outside: 100\.0 %/ },
])('names what took the time: $says', ({ sumMs, says }) => {
  expect(limitingFactor(withPhase({ serverTimings: [timingBand(9, 1, sumMs)] }))).toMatch(says);
});

const pooled = (second: number, inUse: number, capacity = 20): ServerSample => ({
  second,
  pool: { inUse, capacity, waiting: 9 },
  backends: null,
  workers: [],
});
const unread: ServerSample = { second: 1, pool: null, backends: null, workers: [] };

const delayed = (second: number, ...delaysMs: readonly number[]): ServerSample => ({
  ...unread,
  second,
  workers: delaysMs.map((loopDelayMs, i) => ({ worker: String(i + 1), residentBytes: 1e8, loopDelayMs, connectionsInUse: 0 })),
});
/** What is said of a run whose server told no times. */
const says = (samples: readonly ServerSample[], phase: Parameters<typeof withPhase>[0] = {}): string | undefined =>
  limitingFactor(withPhase({ serverTimings: [], ...phase }, { samples }));

const cure = 'raise DB_POOL_SIZE/DB_MAX_OVERFLOW or shorten what holds them';

describe('a full pool', () => {
  test('is said first, with how often it was full and which settings mend it', () => {
    const samples = [pooled(1, 2, 2), pooled(2, 2, 2)];
    expect(limitingFactor(withPhase({ serverTimings: [timingBand(9, 1, { pool: 700 })] }, { samples }))).toBe(
      `all 2 pool connections were in use in 2 of 2 seconds: ${cure}; requests waited for a database connection (pool: 91.1 % of the slowest 5 %)`,
    );
  });

  test('may be one of one connection, or seen for one second', () => {
    expect(says([pooled(1, 1, 1)])).toBe(`the only pool connection was in use in 1 of 1 second: ${cure}`);
  });

  test.each([
    { inUse: [19, 19], says: /^all 20 .* in 2 of 2 seconds/, why: 'one in twenty is free' },
    { inUse: [18, 18], says: /^$/, why: 'at most one in twenty is free, not two' },
    { inUse: [20, 0], says: /in 1 of 2 seconds/, why: 'it is full half of the time' },
    { inUse: [20, 0, 0], says: /^$/, why: 'it is full half of the time, not less' },
  ])('is one in which $why: $inUse of 20 in use is said as $says', ({ inUse, says: wanted }) => {
    const text = says(
      inUse.map((count, i) => pooled(1 + i, count)),
      { durationMs: 5_000 },
    );
    expect(text ?? '').toMatch(wanted);
  });

  test('is looked for in the measured seconds of every phase in which it could be read', () => {
    // Warm-up in second 0, measured in 1 and 2.
    const [phase] = withPhase({ serverTimings: [] }).phases;
    const phases = phase ? [phase, { ...phase, startSecond: 5 }] : [];
    const samples = [pooled(0, 0), pooled(1, 20), unread, pooled(3, 0), pooled(5, 0), pooled(6, 20, 21), pooled(7, 20), pooled(8, 0)];
    expect(limitingFactor({ ...withPhase({}), phases, samples })).toMatch(/^all 21 .* in 3 of 3 seconds/);
  });
});

/** What is said of a machine alone. */
const ofMachine = (...machine: readonly MachineSample[]): string | undefined =>
  limitingFactor(withPhase({ serverTimings: [] }, { machine }));
const ofBusy = (...busy: readonly number[]): string | undefined =>
  ofMachine(...busy.map((share, i) => quietSecond(i, { cpu: { busy: share, own: 0.1 * i, target: share - 0.4, others: 0.2 } })));

describe('a machine without CPU left', () => {
  test('is said where it was so for half of the seconds, with the mean shares of those', () => {
    expect(ofBusy(0.9)).toBe('this machine had no CPU left in 1 of 1 second (service 50.0 %, load test 0.00 %, others 20.0 %)');
    expect(ofBusy(0.5, 0.9, 1, 0.89)).toBe(
      'this machine had no CPU left in 2 of 4 seconds (service 55.0 %, load test 15.0 %, others 20.0 %)',
    );
    expect(ofBusy(0.5, 0.9, 0.89)).toBeUndefined();
  });

  test('leaves the share of a service unsaid as none where its processes are not known, and is not told where nobody could look', () => {
    const unknown = quietSecond(0, { cpu: { busy: 1, own: 0.25, target: null, others: 0.75 } });
    const blind = quietSecond(1, { cpu: null });
    expect(ofMachine(unknown, blind)).toBe(
      'this machine had no CPU left in 1 of 1 second (service 0.00 %, load test 25.0 %, others 75.0 %)',
    );
    expect(ofMachine(blind)).toBeUndefined();
  });
});

test('names the workers that stood still as long as an answer may take, and how late the worst was', () => {
  expect(says([delayed(1, 499, 3)])).toBeUndefined();
  expect(says([delayed(1, 3, 500), delayed(2, 3, 4)])).toBe('worker 2 stood still: its event loop was 500 ms late in second 1');
  expect(says([delayed(1, 3, 4, 600), delayed(2, 900, 4, 3), delayed(3, 3, 4, 700)])).toBe(
    'workers 1, 3 stood still: the event loop of worker 1 was 900 ms late in second 2',
  );
});

test('says all it knows: who stood still, whether the pool was full, and where the time went', () => {
  const worker = { worker: '1', residentBytes: 1e8, loopDelayMs: 800, connectionsInUse: 0 };
  const measurement = withPhase({ serverTimings: [timingBand(9, 1, { db: 700 })] }, { samples: [{ ...pooled(1, 20), workers: [worker] }] });
  expect(limitingFactor(measurement)).toMatch(/^worker 1 stood still: .*; all 20 pool connections .*; the database took its time/);
});

test('time of what was slow on purpose is not counted', () => {
  const onPurpose = { ...timingBand(9, 100, { db: 70_000 }), endpoint: 'slow' };
  const phase = { serverTimings: [onPurpose, timingBand(3, 100, { app: 900 })] };
  expect(limitingFactor(withPhase(phase, { disturbed: ['slow'] }))).toMatch(/own code took its time \(app: 75\.0 %/);
  expect(limitingFactor(withPhase(phase))).toMatch(/database took its time/);
});

test('the slowest twentieth is taken from the slowest band down, of the last only as many as are wanted', () => {
  // Of a thousand the slowest fifty: thirty of band 9, twenty of the 500 of band 5, none of band 2.
  const bands = [timingBand(5, 500, { db: 5_000 }), timingBand(2, 470, { app: 1_000 }), timingBand(9, 30, { pool: 3_000 })];
  const latencyMs = 30 * 1.5 * 512 + 20 * 1.5 * 32;
  const { pool, db, app, queue, outside } = attributeLatency(bands) ?? {};
  expect(pool).toBeCloseTo(3_000 / latencyMs, 9);
  expect(db).toBeCloseTo(200 / latencyMs, 9);
  expect([app, queue]).toEqual([0, 0]);
  expect(outside).toBeCloseTo(1 - 3_200 / latencyMs, 9);
});

test('answers that took no time at all have no shares', () => {
  const shares = attributeLatency([{ ...timingBand(0, 10, {}), latencySumMs: 0 }]);
  expect(shares).toEqual({ queue: 0, pool: 0, db: 0, app: 0, outside: 0 });
});

test('says nothing when nothing is known', () => {
  expect(limitingFactor(withPhase({ serverTimings: [] }))).toBeUndefined();
});

test('shares are shares: none below 0, together 1', () => {
  const ms = fc.double({ min: 0, max: 1e6, noNaN: true });
  const band = fc
    .tuple(fc.integer({ min: 0, max: 14 }), fc.integer({ min: 1, max: 1_000 }), fc.record({ queue: ms, pool: ms, db: ms, app: ms }))
    .map(([index, count, sumMs]) => timingBand(index, count, sumMs));
  fc.assert(
    fc.property(fc.array(band, { minLength: 1, maxLength: 12 }), (bands) => {
      const shares = Object.values(attributeLatency(bands) ?? {});
      for (const share of shares) expect(share).toBeGreaterThanOrEqual(0);
      expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 6);
    }),
  );
});
