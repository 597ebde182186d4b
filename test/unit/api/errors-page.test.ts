import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { problemTypes } from '#api/errors.ts';

const page = readFileSync('docs/errors.md', 'utf8');
const heading = '## Codes\n\n';

/** The table of codes, its columns as wide as the formatter makes them. */
function codesTable(): string {
  const rows = Object.entries(problemTypes)
    .toSorted(([, a], [, b]) => a.status - b.status)
    .map(([code, { status, meaning, cure }]) => [`\`${code}\``, String(status), meaning, cure]);
  const head = ['code', 'status', 'meaning', 'what to do'];
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[], filler = ' '): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0, filler)).join(' | ')} |\n`;
  return line(head) + line(['', '', '', ''], '-') + rows.map((row) => line(row)).join('');
}

/** `npm run docs` writes it, by updating this snapshot. */
test('docs/errors.md tells of every code what the table of errors says', async () => {
  const start = page.indexOf(heading) + heading.length;
  const end = page.indexOf('\n\n', start) + 1;
  await expect(page.slice(0, start) + codesTable() + page.slice(end)).toMatchFileSnapshot('../../../docs/errors.md');
});
