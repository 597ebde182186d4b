import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { securityEvents } from '#api/logs/security-line.ts';
import { markdownTable } from '#test/support/markdown-table.ts';

const page = readFileSync('docs/security-events.md', 'utf8');
const heading = '## Events\n\n';

/** `npm run docs` writes it, by updating this snapshot. */
test('docs/security-events.md tells of every event what the table of events says', async () => {
  const start = page.indexOf(heading) + heading.length;
  const rows = Object.entries(securityEvents).map(([event, meaning]) => [`\`${event}\``, meaning]);
  const written = page.slice(0, start) + markdownTable(['event', 'meaning'], rows);
  await expect(written).toMatchFileSnapshot('../../../../docs/security-events.md');
});
