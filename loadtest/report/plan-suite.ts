import type { Check } from '../judge/check.ts';
import type { Outcome } from '../judge/outcome.ts';
import { showWitness } from '../measurement/witness.ts';
import { baselineCaution, changeNames, changesOf, describeBaseline } from './baseline.ts';
import type { Case, Suite } from './junit.ts';
import type { Report } from './report.ts';

/** Every check of a plan's run as a case; what changed since an earlier run stands beside them. */
export function planSuite({ judgement, measurement, baseline }: Report): Suite {
  const name = `loadtest ${measurement.plan}`;
  const cases = judgement.checks.map((check) => caseOf(check, name));
  return { name, startedAt: measurement.startedAt, verdict: judgement.verdict, cases, beside: baselineLines(baseline) };
}

function baselineLines(baseline: Report['baseline']): string[] {
  if (baseline === undefined) return [];
  const lines = baseline.rows.map(
    (row) =>
      `${row.endpoint}: ${changesOf(row)
        .map((change, index) => `${changeNames[index]} ${change}`)
        .join(', ')}`,
  );
  return [describeBaseline(baseline), ...baseline.differences, ...lines, baselineCaution];
}

/** A check as a case. One of client and machine that is broken proves nothing for or against the service, and is no failure of it. */
export function caseOf({ id, kind, title, outcome, measured, limit, reason, witnesses = [] }: Check, suite: string): Case {
  const head = { id, title, group: `${suite} ${kind}` };
  const found = `${measured} (allowed: ${limit})`;
  const seen = witnesses.map(showWitness);
  if (outcome === 'not-checked') return { ...head, outcome: 'NOT CHECKED', says: reason, seen };
  if (outcome === 'met' || outcome === 'tolerated') return { ...head, outcome: 'PASS', says: found, seen };
  const missed: Outcome = outcome === 'excused' || kind === 'innocence' ? 'INVALID' : 'FAIL';
  return { ...head, outcome: missed, says: reason, seen: [found, ...seen] };
}
