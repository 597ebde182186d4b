import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { parts } from '#loadtest/scenarios/journeys/file-schema.ts';
import { readJourneys } from '#loadtest/scenarios/journeys/read-journeys.ts';

type Field = { readonly description?: string; readonly default?: unknown };
type Part = { readonly properties: Readonly<Record<string, Field>>; readonly required?: readonly string[] };

const page = readFileSync('docs/journeys.md', 'utf8');
const heading = '## Fields\n\n';

/** What of a default nobody would write is not shown. */
const shown = (value: unknown): string =>
  value === undefined || JSON.stringify(value) === '{}' ? '' : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;

/** A table, its columns as wide as the formatter makes them. */
function table({ properties, required = [] }: Part): string {
  const rows = Object.entries(properties).map(([name, field]) => [
    `\`${name}\``,
    required.includes(name) ? 'required' : shown(field.default),
    field.description ?? '',
  ]);
  const head = ['field', 'default', 'meaning'];
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[], filler = ' '): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0, filler)).join(' | ')} |\n`;
  return line(head) + line(['', '', ''], '-') + rows.map((row) => line(row)).join('');
}

const titles: Readonly<Record<keyof typeof parts, string>> = {
  file: 'The file',
  journey: 'A journey; a list is its steps',
  step: 'A step; a text is its request',
  expect: '`expect`; a number or a list is its status',
  value: 'A value in `expect`; anything but an object must be equalled',
  capture: 'A value in `capture`; a text is a pointer into the body',
  feeder: 'A feeder; a list is its rows',
  load: '`load`',
  stage: 'A stage of `rates`',
  capacity: '`capacity`',
  limits: '`limits`, and each of its `endpoints`',
  slo: '`slo`',
};

/** `npm run docs` writes it, by updating this snapshot. */
test('docs/journeys.md tells of every field what the schema says', async () => {
  const sections = Object.entries(parts).map(([name, part]) => {
    const schema = z.toJSONSchema(part, { io: 'input', unrepresentable: 'any' }) as unknown as Part;
    return `### ${titles[name as keyof typeof parts]}\n\n${table(schema)}`;
  });
  const start = page.indexOf(heading) + heading.length;
  await expect(page.slice(0, start) + sections.join('\n')).toMatchFileSnapshot('../../../../../docs/journeys.md');
});

test.each(['shop.yaml', 'library.yaml'])('docs/journeys/%s is right', async (name) => {
  await expect(readJourneys(`docs/journeys/${name}`, { LIBRARY_TOKEN: 't' })).resolves.toMatchObject({ file: { load: {} } });
});
