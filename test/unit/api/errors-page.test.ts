import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { problemTypes } from '#api/errors.ts';
import { markdownTable } from '#test/support/markdown-table.ts';

const page = readFileSync('docs/errors.md', 'utf8');
const heading = '## Codes\n\n';

function codesTable(): string {
  const rows = Object.entries(problemTypes)
    .toSorted(([, a], [, b]) => a.status - b.status)
    .map(([code, { status, meaning, cure }]) => [`\`${code}\``, String(status), meaning, cure]);
  return markdownTable(['code', 'status', 'meaning', 'what to do'], rows);
}

/** `npm run docs` writes it, by updating this snapshot. */
test('docs/errors.md tells of every code what the table of errors says', async () => {
  const start = page.indexOf(heading) + heading.length;
  const end = page.indexOf('\n\n', start) + 1;
  await expect(page.slice(0, start) + codesTable() + page.slice(end)).toMatchFileSnapshot('../../../docs/errors.md');
});
