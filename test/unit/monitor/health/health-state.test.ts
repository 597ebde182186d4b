import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { foldResult, inheritedHealth, initialHealth, isUnsettled, statusOf, type LeftHealth } from '#monitor/health/health-state.ts';
import type { Health, ProbeResult } from '#monitor/model/look.ts';

const thresholds = { failures: 3, successes: 2 };
const start = initialHealth('none', { at: 0, clockMs: 0 });

const result = (outcome: ProbeResult['outcome'], at = 0): ProbeResult => ({ outcome, detail: outcome, latencyMs: 1, at, clockMs: at });

const fold = (outcomes: readonly ProbeResult['outcome'][], from: Health = start): Health =>
  outcomes.reduce((health, outcome, index) => foldResult(health, result(outcome, index + 1), thresholds), from);

describe('health', () => {
  test.each([
    ['is unknown before the first look', [], 'unknown'],
    ['is up at the first answer', ['ok'], 'up'],
    ['is degraded as soon as the target says so', ['ok', 'degraded'], 'degraded'],
    ['is up again as soon as the target says so', ['degraded', 'ok'], 'up'],
    ['stays up below the failure threshold', ['ok', 'failed', 'failed'], 'up'],
    ['stays unknown below the failure threshold when nothing was ever settled', ['failed', 'failed'], 'unknown'],
    ['is down at the failure threshold', ['ok', 'failed', 'failed', 'failed'], 'down'],
    ['counts only failures in a row', ['ok', 'failed', 'failed', 'ok', 'failed', 'failed'], 'up'],
    ['stays down below the success threshold', ['failed', 'failed', 'failed', 'ok'], 'down'],
    ['comes back at the success threshold', ['failed', 'failed', 'failed', 'ok', 'ok'], 'up'],
    ['comes back as degraded when that is what the target says', ['failed', 'failed', 'failed', 'ok', 'degraded'], 'degraded'],
    ['is unknown while the monitor cannot look', ['ok', 'faulty'], 'unknown'],
    ['is what it was once the monitor can look again', ['ok', 'faulty', 'ok'], 'up'],
    ['is never down through faults of the monitor', ['ok', 'faulty', 'faulty', 'faulty', 'faulty'], 'unknown'],
    ['neither forgets nor adds failures through a fault', ['ok', 'failed', 'failed', 'faulty', 'failed'], 'down'],
  ] as const)('%s', (_sentence, outcomes, status) => {
    expect(statusOf(fold(outcomes))).toBe(status);
  });

  test('inherited from an earlier process is not shown before somebody has looked', () => {
    expect(statusOf(initialHealth('up', { at: 0, clockMs: 0 }))).toBe('unknown');
  });

  test('remembers when a streak of failures began', () => {
    expect(fold(['ok', 'failed', 'failed', 'failed']).failingSince).toEqual({ at: 2, clockMs: 2 });
  });

  test('keeps the last looks and turns only, however long it is watched', () => {
    const long = fold(Array.from({ length: 900 }, (_, index) => (Math.floor(index / 3) % 2 === 0 ? 'ok' : 'failed')));
    expect([long.recent.length, long.turnsMs.length]).toEqual([60, 20]);
    expect(long.recent.at(-1)?.at).toBe(900);
  });

  test('is unsettled exactly while a streak is under way that has changed nothing yet', () => {
    expect(isUnsettled(fold(['ok']))).toBe(false);
    expect(isUnsettled(fold(['ok', 'failed']))).toBe(true);
    expect(isUnsettled(fold(['failed', 'failed', 'failed']))).toBe(false);
    expect(isUnsettled(fold(['failed', 'failed', 'failed', 'ok']))).toBe(true);
  });
});

/** The specification said over the whole history at once, where the code folds step by step. */
function specifiedVerdict(outcomes: readonly ProbeResult['outcome'][], failures: number, successes: number): string {
  const evidence = outcomes.filter((outcome) => outcome !== 'faulty');
  let verdict = 'none';
  for (const [index, outcome] of evidence.entries()) {
    const lastFailures = evidence.slice(Math.max(0, index + 1 - failures), index + 1);
    const lastAnswers = evidence.slice(Math.max(0, index + 1 - successes), index + 1);
    if (outcome === 'failed') {
      if (lastFailures.length === failures && lastFailures.every((each) => each === 'failed')) verdict = 'down';
    } else if (verdict !== 'down' || (lastAnswers.length === successes && lastAnswers.every((each) => each !== 'failed'))) {
      verdict = outcome === 'ok' ? 'up' : 'degraded';
    }
  }
  return verdict;
}

test('the verdict is what the thresholds say over any history, and the monitor’s own faults leave no trace in it', () => {
  const outcome = fc.constantFrom('ok', 'degraded', 'failed', 'faulty');
  fc.assert(
    fc.property(
      fc.array(outcome, { maxLength: 40 }),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 5 }),
      (outcomes, failures, successes) => {
        const health = outcomes.reduce((each, next) => foldResult(each, result(next), { failures, successes }), start);
        expect(health.verdict).toBe(specifiedVerdict(outcomes, failures, successes));
        expect(statusOf(health) === 'unknown').toBe(health.verdict === 'none' || outcomes.at(-1) === 'faulty');
      },
    ),
    { numRuns: 1_000 },
  );
});

describe('what the process before left', () => {
  const now = { at: 9_000, clockMs: 5 };
  const inherited = (health: LeftHealth['health'], more: Partial<LeftHealth> = {}) =>
    inheritedHealth({ health, wasFlapping: false, backAt: undefined, ...more }, now);

  test('is an outage that goes on since it began', () => {
    expect(inherited({ verdict: 'down', since: 1_000 })).toMatchObject({ verdict: 'down', since: { at: 1_000 } });
  });

  test.each(['up', 'degraded'] as const)('is %s only from now on, since nobody looked meanwhile', (verdict) => {
    expect(inherited({ verdict, since: 1_000 })).toMatchObject({ verdict, since: { at: 9_000 } });
  });

  test('that came and went settles anew', () => {
    expect(inherited({ verdict: 'up', since: 1_000 }, { wasFlapping: true }).turnsMs).toEqual([5]);
  });

  test('of the time since a target was back, over any restarts, is what the clock of the machine says, and never less than none', () => {
    const graceMs = 330_000;
    const life = fc.record({
      forMs: fc.integer({ min: 0, max: 400_000 }),
      setByMs: fc.oneof(fc.constant(0), fc.integer({ min: -2_000_000, max: 2_000_000 })),
      bootMs: fc.integer({ min: 0, max: 1e9 }),
    });
    fc.assert(
      fc.property(fc.array(life, { minLength: 1, maxLength: 6 }), (lives) => {
        const backAt = 1e12;
        let [passedMs, setMs, wasSet] = [0, 0, false];
        for (const { forMs, setByMs, bootMs } of lives) {
          [passedMs, setMs, wasSet] = [passedMs + forMs, setMs + setByMs, wasSet || setByMs !== 0];
          const started = { at: backAt + passedMs + setMs, clockMs: bootMs };
          const { backSince } = inheritedHealth({ health: { verdict: 'up', since: backAt }, wasFlapping: false, backAt }, started);
          const leftMs = graceMs - (bootMs - (backSince?.clockMs ?? NaN));
          expect(leftMs).toBeLessThanOrEqual(graceMs);
          expect(leftMs).toBe(wasSet ? leftMs : graceMs - passedMs);
        }
      }),
    );
  });

  test('is nothing where it left nothing', () => {
    expect(inherited(undefined)).toEqual(initialHealth('none', now));
  });
});
