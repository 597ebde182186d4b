import type { Check } from '../judge/check.ts';
import { showWitness } from '../measurement/witness.ts';
import { escapeText } from '#lib/html.ts';
import { baselineCaution, changeNames, changesOf, describeBaseline } from './baseline.ts';
import type { Report } from './report.ts';

/**
 * Every check as a test case, so that a build server shows which one broke. What is the client's or the machine's is an
 * error, not a failure: the test itself did not work. A run that is INVALID therefore has no failure.
 */
export function reportJunit({ judgement, measurement, baseline }: Report): string {
  const { checks } = judgement;
  const count = (test: (check: Check) => boolean): number => checks.filter(test).length;
  const errors = count(isError);
  const failures = count((check) => check.outcome === 'broken' && !isError(check));
  const skipped = count(({ outcome }) => outcome === 'not-checked');
  const totals = `tests="${checks.length}" failures="${failures}" errors="${errors}" skipped="${skipped}"`;
  const name = `loadtest ${measurement.plan}`;
  const cases = checks.map((check) => testCase(check, name)).join('\n');
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites ${totals}>
  <testsuite name="${escapeText(name)}" timestamp="${measurement.startedAt}" ${totals}>
    <properties><property name="verdict" value="${judgement.verdict}"/></properties>
${cases}${baselineOutput(baseline)}
  </testsuite>
</testsuites>
`;
}

/** What changed since an earlier run stands beside the cases: it is none of them, and breaks nothing. */
function baselineOutput(baseline: Report['baseline']): string {
  if (baseline === undefined) return '';
  const lines = baseline.rows.map(
    (row) =>
      `${row.endpoint}: ${changesOf(row)
        .map((change, index) => `${changeNames[index]} ${change}`)
        .join(', ')}`,
  );
  return `\n    <system-out>${escapeText([describeBaseline(baseline), ...baseline.differences, ...lines, baselineCaution].join('\n'))}</system-out>`;
}

/** A check that proves nothing for or against the service is no failure of it. */
const isError = ({ kind, outcome }: Check): boolean => outcome === 'excused' || (kind === 'innocence' && outcome === 'broken');

function testCase(check: Check, suite: string): string {
  const head = `    <testcase classname="${escapeText(`${suite} ${check.kind}`)}" name="${escapeText(`${check.id}: ${check.title}`)}"`;
  const found = escapeText([`${check.measured} (allowed: ${check.limit})`, ...(check.witnesses ?? []).map(showWitness)].join('\n'));
  if (check.outcome === 'not-checked') return `${head}><skipped message="${escapeText(check.reason)}"/></testcase>`;
  if (check.outcome !== 'broken' && !isError(check)) return `${head}><system-out>${found}</system-out></testcase>`;
  const element = isError(check) ? 'error' : 'failure';
  return `${head}><${element} type="${check.id}" message="${escapeText(check.reason)}">${found}</${element}></testcase>`;
}
