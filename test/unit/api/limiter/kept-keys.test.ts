import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { KeptKeys } from '#api/limiter/kept-keys.ts';

const use = fc.record({
  gapMs: fc.integer({ min: 0, max: 12 }),
  key: fc.integer({ min: 0, max: 30 }).map(String),
  periodMs: fc.constantFrom(10, 25, 60),
});
type Use = { readonly key: string; readonly periodMs: number; readonly atMs: number };

/** How many keys of a period were asked for within it, up to and with the last of these. */
const askedWithin = (past: readonly Use[], periodMs: number): number =>
  new Set(past.filter((one) => one.periodMs === periodMs && one.atMs > (past.at(-1)?.atMs ?? 0) - periodMs).map(({ key }) => key)).size;

describe('kept keys', () => {
  test('are the same for a period after each use, and never more than twice those that were asked for within one', () => {
    fc.assert(
      fc.property(fc.array(use, { minLength: 1, maxLength: 150 }), (uses) => {
        const kept = new KeptKeys<Use>(1_000);
        const past: Use[] = [];
        const peaks = new Map<number, number>();
        let atMs = 0;
        for (const { gapMs, key, periodMs } of uses) {
          atMs += gapMs;
          const [now, before] = [{ key, periodMs, atMs }, past.findLast((one) => one.key === key && one.periodMs === periodMs)];
          const value = kept.use(key, periodMs, atMs, () => now);
          const isInItsPeriod = before !== undefined && before.atMs > atMs - periodMs;
          expect(isInItsPeriod && value === now, 'made anew in its period').toBe(false);
          expect(value).toMatchObject({ key, periodMs });
          expect(kept.find(key, periodMs)).toBe(value);
          past.push(now);
          for (const each of [10, 25, 60]) peaks.set(each, Math.max(peaks.get(each) ?? 0, askedWithin(past, each)));
          expect(kept.size).toBeLessThanOrEqual(2 * [...peaks.values()].reduce((sum, peak) => sum + peak, 0));
        }
      }),
    );
  });

  test('are forgotten two periods after their last use at the latest, whoever is asked for then', () => {
    const kept = new KeptKeys<object>(1_000);
    for (let key = 0; key < 50; key += 1) kept.use(`k${key}`, 10, key / 10, () => ({}));
    expect(kept.size).toBe(50);
    kept.use('another', 60, 14, () => ({}));
    expect(kept.find('k49', 10), 'in its period').toBeDefined();
    kept.use('another', 60, 24, () => ({}));
    expect(kept.size).toBe(1);
  });

  test('are apart where their periods differ', () => {
    const kept = new KeptKeys<string>(1_000);
    kept.use('k', 10, 0, () => 'short');
    expect([kept.find('k', 60), kept.use('k', 60, 0, () => 'long'), kept.find('k', 10)]).toEqual([undefined, 'long', 'short']);
  });

  test('make room for a new one at the bound: a tenth of the period that has most, the older generation first', () => {
    const kept = new KeptKeys<object>(40);
    const ask = (key: string, periodMs: number, nowMs: number): unknown => kept.use(key, periodMs, nowMs, () => ({}));
    for (let key = 0; key < 10; key += 1) ask(`few${key}`, 60, 0);
    for (let key = 0; key < 25; key += 1) ask(`k${key}`, 10, 5);
    ask('k0', 10, 15);
    for (let key = 25; key < 29; key += 1) ask(`k${key}`, 10, 16);
    ask('k28', 10, 17);
    expect(kept.size).toBe(39);
    ask('k29', 10, 18);
    expect(kept.size).toBe(40);
    ask('new', 10, 18);
    expect(kept.size).toBe(38);
    const gone = Array.from({ length: 30 }, (_, key) => `k${key}`).filter((key) => kept.find(key, 10) === undefined);
    expect(gone).toEqual(['k1', 'k2', 'k3']);
  });
});
