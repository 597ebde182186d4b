import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { foldResult, initialHealth } from '#monitor/health/health-state.ts';
import { tallyBetween } from '#monitor/health/tally.ts';
import type { ProbeResult } from '#monitor/model/look.ts';
import { addTallies, uptimeOf, type DayTally } from '#monitor/model/tally.ts';

const dayMs = 86_400_000;
const graceMs = 13_000;
const midnight = Date.parse('2026-11-26T00:00:00Z');
const today = midnight / dayMs;

type Look = { readonly outcome: ProbeResult['outcome']; readonly at: number; readonly clockMs: number };

/** The tallies of a series of looks at one target, by day. */
function tally(looks: readonly Look[]): ReadonlyMap<number, DayTally> {
  const days = new Map<number, DayTally>();
  let health = initialHealth('none', { at: 0, clockMs: 0 });
  for (const look of looks) {
    for (const each of tallyBetween('api', health, look, graceMs)) {
      const held = days.get(each.day);
      days.set(each.day, held ? addTallies(held, each) : each);
    }
    health = foldResult(health, { ...look, detail: '', latencyMs: 1 }, { failures: 1, successes: 1 });
  }
  return days;
}

const every5s = (outcomes: readonly ProbeResult['outcome'][], from: number): Look[] =>
  outcomes.map((outcome, index) => ({ outcome, at: from + index * 5_000, clockMs: index * 5_000 }));

describe('the time between two looks', () => {
  test('is time of the status that was shown meanwhile', () => {
    const [day] = tally(every5s(['ok', 'ok', 'failed', 'failed', 'degraded', 'ok'], midnight + dayMs / 2)).values();
    expect(day).toMatchObject({ day: today, upMs: 10_000, downMs: 10_000, degradedMs: 5_000 });
    expect(uptimeOf(day ? [day] : [])).toBeCloseTo(0.6);
  });

  test('in which the monitor could not tell is no time at all', () => {
    const [day] = tally(every5s(['ok', 'faulty', 'faulty', 'ok', 'ok'], midnight + dayMs / 2)).values();
    expect(day).toMatchObject({ upMs: 10_000, downMs: 0 });
  });

  test('in which nobody watched is none either, as while the machine slept', () => {
    const [first, second] = every5s(['ok', 'ok'], midnight + dayMs / 2) as [Look, Look];
    expect(tally([first, { ...second, at: second.at + 3_600_000, clockMs: second.clockMs + 3_600_000 }]).size).toBe(0);
  });

  test('belongs to both days where midnight lies in it', () => {
    const days = tally(every5s(['ok', 'ok'], midnight - 2_000));
    expect([...days.values()]).toMatchObject([
      { day: today - 1, upMs: 2_000 },
      { day: today, upMs: 3_000 },
    ]);
  });

  test('is as long as it was, whatever is done to the clock of the machine', () => {
    const looks = every5s(['ok', 'ok', 'ok'], midnight + dayMs / 2).map((look, index) => ({
      ...look,
      at: look.at + (index > 0 ? 7_200_000 : 0),
    }));
    expect([...tally(looks).values()].reduce((sum, { upMs }) => sum + upMs, 0)).toBe(10_000);
  });
});

test('over any series of looks no time is counted twice, and no day holds more than a day', () => {
  const outcome = fc.constantFrom<ProbeResult['outcome']>('ok', 'degraded', 'failed', 'faulty');
  const step = fc.record({ outcome, ms: fc.integer({ min: 1, max: 40_000 }) });
  fc.assert(
    fc.property(fc.array(step, { minLength: 2, maxLength: 200 }), fc.integer({ min: -dayMs, max: dayMs }), (steps, shift) => {
      let clockMs = 0;
      const looks = steps.map(({ outcome: seen, ms }) => ({ outcome: seen, clockMs: (clockMs += ms), at: midnight + shift + clockMs }));
      const days = [...tally(looks).values()];
      const counted = days.reduce((sum, { upMs, degradedMs, downMs }) => sum + upMs + degradedMs + downMs, 0);
      expect(counted).toBeLessThanOrEqual((looks.at(-1)?.clockMs ?? 0) - (looks[0]?.clockMs ?? 0));
      for (const { upMs, degradedMs, downMs } of days) expect(upMs + degradedMs + downMs).toBeLessThanOrEqual(dayMs);
      // What is known is what the looks between which it lies say: those apart by no more than regular ones.
      const known = looks.slice(1).reduce((sum, look, index) => {
        const before = looks[index];
        const apart = look.clockMs - (before?.clockMs ?? 0);
        return before?.outcome === 'faulty' || apart > graceMs + 15_000 ? sum : sum + apart;
      }, 0);
      expect(counted).toBe(known);
    }),
    { numRuns: 300 },
  );
});
