import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import type { Measurement } from '../measurement/measurement.ts';
import type { Check, Judge } from './check.ts';
import { figuresOf, type Figures } from './figures.ts';
import { limitingFactor } from './limiting-factor.ts';

/** `INVALID`: the run proves nothing, neither for nor against the service. */
export type Verdict = 'PASS' | 'FAIL' | 'INVALID';

export type Judgement = {
  readonly verdict: Verdict;
  /** Why it is not PASS, one sentence each. */
  readonly reasons: readonly string[];
  /** On FAIL: what the service was short of, as far as it can be told. */
  readonly limitedBy: string | null;
  readonly checks: readonly Check[];
  readonly figures: Figures;
};

/** Examines a measurement. Pure: the same file gives the same verdict, whenever and wherever it is judged. */
export function judge(measurement: Measurement, judges: readonly Judge[]): Judgement {
  const found = judges.flatMap((examine) => examine(measurement));
  const invariants = found.filter(({ kind }) => kind === 'invariant');
  const limits = found.filter(({ kind }) => kind === 'limit');
  const innocence = tolerate(
    found.filter(({ kind }) => kind === 'innocence'),
    limits,
  );
  const verdict = decide(innocence, invariants, limits);
  const checks = [...limits, ...invariants, ...innocence];
  return {
    verdict,
    reasons: reasonsFor(verdict, checks),
    limitedBy: verdict === 'FAIL' ? (limitingFactor(measurement) ?? null) : null,
    checks,
    figures: figuresOf(measurement),
  };
}

/** What client and machine explain is only estimated: a FAIL must exceed it by far. */
const certainty = 10;

/**
 * A client or machine that is slow itself makes the service look slower than it is. A service that passes even so has
 * passed, and one that misses a limit by ten times what they explain has failed; only between is nothing known.
 */
function tolerate(innocence: readonly Check[], limits: readonly Check[]): readonly Check[] {
  const brokenLimits = limits.filter(isBroken);
  const slownessMs = innocence.filter(isBroken).reduce((sum, { slowsByMs = 0 }) => sum + slowsByMs, 0);
  const isCertain = brokenLimits.length === 0 || brokenLimits.some(({ excessMs = 0 }) => excessMs >= certainty * slownessMs);
  if (!isCertain) return innocence;
  return innocence.map((check) => (isBroken(check) && check.slowsByMs !== undefined ? { ...check, outcome: 'tolerated' } : check));
}

/**
 * A broken invariant is a defect whoever was slow, so it decides first, unless the client's own books are wrong. Then a
 * client that may have made the figures itself: nothing is held against the service on such evidence.
 */
function decide(innocence: readonly Check[], invariants: readonly Check[], limits: readonly Check[]): Verdict {
  const booksAreRight = innocence.every(({ id, outcome }) => !bookkeeping.has(id) || outcome === 'met');
  if (booksAreRight && invariants.some(isBroken)) return 'FAIL';
  if (innocence.some(isBroken)) return 'INVALID';
  return limits.some(isBroken) ? 'FAIL' : 'PASS';
}

const bookkeeping = new Set(['generator-complete', 'conservation']);

const isBroken = ({ outcome }: Check): boolean => outcome === 'broken';

/** An INVALID run's figures prove nothing, so only what made it invalid is given as the reason. */
function reasonsFor(verdict: Verdict, checks: readonly Check[]): string[] {
  const counting = verdict === 'INVALID' ? checks.filter(({ kind }) => kind === 'innocence') : checks;
  return counting.filter(isBroken).map(({ reason }) => reason);
}

/** Of several runs: one FAIL fails all, and what is INVALID proves nothing for the others. Of none: INVALID. */
export function worstVerdict(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes('FAIL')) return 'FAIL';
  return verdicts.length === 0 || verdicts.includes('INVALID') ? 'INVALID' : 'PASS';
}

export const exitCodeOf: Readonly<Record<Verdict, ExitCode>> = {
  PASS: EXIT.done,
  FAIL: EXIT.thresholdsFailed,
  INVALID: EXIT.busy,
};
