import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { attributeLatency, limitingFactor } from '#loadtest/judge/limiting-factor.ts';
import type { ServerSample } from '#loadtest/measurement/measurement.ts';
import { timingBand, withPhase } from '../build-measurement.ts';

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
  { sumMs: {}, says: /outside: 100\.0 %/ },
])('names what took the time: $says', ({ sumMs, says }) => {
  expect(limitingFactor(withPhase({ serverTimings: [timingBand(9, 1, sumMs)] }))).toMatch(says);
});

test('says first how often the pool was full, and which settings mend it', () => {
  const full: ServerSample = { second: 1, pool: { inUse: 2, capacity: 2, waiting: 9 }, backends: null, workers: [] };
  const samples = [full, { ...full, second: 2 }];
  expect(limitingFactor(withPhase({ serverTimings: [timingBand(9, 1, { pool: 700 })] }, { samples }))).toMatch(
    /^all 2 pool connections were in use in 2 of 2 seconds: raise DB_POOL_SIZE.*; requests waited for a database connection/,
  );
  const rarely = [full, { ...full, second: 2, pool: { inUse: 0, capacity: 2, waiting: 0 } }, { ...full, second: 2, pool: null }];
  expect(limitingFactor(withPhase({ serverTimings: [] }, { samples: [...rarely, { ...full, second: 0 }] }))).toMatch(/1 of 2/);
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
