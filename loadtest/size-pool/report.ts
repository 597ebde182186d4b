import { escapeText } from '#lib/html.ts';
import { showP95, type Conclusion } from './conclusion.ts';

/** For people at a terminal. */
export function sizingText(conclusion: Conclusion): string {
  const { rows, says, line, verdict } = conclusion;
  const table = rows.map(({ size, windows, perSecond, p95Ms, loss }) =>
    [
      `${size}`.padStart(6),
      `${perSecond.toFixed(0)}/s`.padStart(9),
      `p95 ${showP95(p95Ms)}`.padStart(12),
      `${windows} windows`.padStart(11),
      `  ${loss}`,
    ].join(''),
  );
  return [head(conclusion), ...table, ...says.map((sentence) => `- ${sentence}`), ...(line === undefined ? [] : [line]), verdict].join(
    '\n',
  );
}

function head({ question, users, workers }: Conclusion): string {
  const { size, overflow } = question.configured;
  return `size-pool: ${users} users without pauses, ${workers} API processes, configured ${size}+${overflow} (seed ${question.seed})`;
}

/** What --json prints and report.json holds: enough to conclude again. */
export function sizingJson({ question, users, workers, verdict, line, says, end, rows, played }: Conclusion): string {
  const recommended = end.kind === 'answer' ? end.confirmed.setting : null;
  const refused = end.kind === 'refusal' ? end.reason : null;
  return `${JSON.stringify({ version: 1, verdict, recommended, refused, line: line ?? null, says, question, users, workers, rows, windows: played }, null, 2)}\n`;
}

/** The result on one page, for a pull request. */
export function sizingMarkdown(conclusion: Conclusion): string {
  const { rows, says, line, verdict } = conclusion;
  return `${[
    `# Pool size: ${verdict}`,
    '',
    head(conclusion),
    '',
    ...(line === undefined ? [] : ['```', line, '```', '']),
    ...says.map((sentence) => `- ${sentence}`),
    '',
    '| connections | answers/s | p95 | windows | against the best |',
    '|---:|---:|---:|---:|---|',
    ...rows.map(
      ({ size, windows, perSecond, p95Ms, loss }) => `| ${size} | ${perSecond.toFixed(0)} | ${showP95(p95Ms)} | ${windows} | ${loss} |`,
    ),
  ].join('\n')}\n`;
}

/** One test case: does what is configured do as well as what is recommended? */
export function sizingJunit({ verdict, says, line }: Conclusion, startedAt: string): string {
  const [message = ''] = says;
  const text = escapeText([line ?? '', ...says].join('\n'));
  const body = {
    PASS: `<system-out>${text}</system-out>`,
    FAIL: `<failure message="${escapeText(message)}">${text}</failure>`,
    INVALID: `<error message="${escapeText(message)}">${text}</error>`,
  }[verdict];
  const totals = `tests="1" failures="${Number(verdict === 'FAIL')}" errors="${Number(verdict === 'INVALID')}"`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites ${totals}>
  <testsuite name="loadtest size-pool" timestamp="${startedAt}" ${totals}>
    <testcase classname="loadtest size-pool" name="pool-size: the pool is as large as it has to be">${body}</testcase>
  </testsuite>
</testsuites>
`;
}
