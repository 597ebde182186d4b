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
  /** When it failed by being slow: what the service was short of, as far as it can be told. */
  readonly limitedBy: string | null;
  readonly checks: readonly Check[];
  readonly figures: Figures;
};

/** Examines a measurement. Pure: the same file gives the same verdict, whenever and wherever it is judged. */
export function judge(measurement: Measurement, judges: readonly Judge[]): Judgement {
  const checks = tolerate(withoutBadBooks(judges.flatMap((examine) => examine(measurement))));
  const verdict = decide(checks);
  const isSlow = checks.some((check) => isBroken(check) && check.isSpeed);
  return {
    verdict,
    reasons: reasonsFor(verdict, checks),
    limitedBy: isSlow ? (limitingFactor(measurement) ?? null) : null,
    checks,
    figures: figuresOf(measurement),
  };
}

/** Of these the client's own books depend. */
const bookkeeping = new Set(['generator-complete', 'conservation']);

/** Books that do not agree with a client's count prove nothing when the client lost count. */
function withoutBadBooks(checks: readonly Check[]): readonly Check[] {
  if (!checks.some((check) => bookkeeping.has(check.id) && isBroken(check))) return checks;
  return checks.map((check) =>
    check.kind === 'invariant' && isBroken(check)
      ? { ...check, outcome: 'excused', reason: `the client lost its own count: ${check.reason}` }
      : check,
  );
}

/**
 * A slow client or machine can only make the service look slower than it is: where nothing was missed because of it, it is
 * noted and decides nothing.
 */
function tolerate(checks: readonly Check[]): readonly Check[] {
  if (checks.some(({ outcome }) => outcome === 'excused')) return checks;
  return checks.map((check) => (check.onlySlows && isBroken(check) ? { ...check, outcome: 'tolerated' } : check));
}

/** What was missed and nothing excuses is a defect, whoever else was at fault. Then whatever makes the run prove nothing. */
export function decide(checks: readonly Check[]): Verdict {
  if (checks.some(isDefect)) return 'FAIL';
  return checks.some(isDoubt) ? 'INVALID' : 'PASS';
}

const isBroken = ({ outcome }: Check): boolean => outcome === 'broken';
const isDefect = (check: Check): boolean => check.kind !== 'innocence' && isBroken(check);
const isDoubt = ({ outcome }: Check): boolean => outcome === 'broken' || outcome === 'excused';

/** A FAIL is what the service did; an INVALID run what client and machine did, and what they may have made. */
function reasonsFor(verdict: Verdict, checks: readonly Check[]): string[] {
  const counting = checks.filter(verdict === 'FAIL' ? isDefect : isDoubt);
  return counting.toSorted((a, b) => Number(b.kind === 'innocence') - Number(a.kind === 'innocence')).map(({ reason }) => reason);
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
