import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { configSchema } from '#monitor/config/config-schema.ts';

type Field = {
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Fields;
  readonly anyOf?: readonly Field[];
  readonly items?: { readonly properties: Fields; readonly required?: readonly string[] };
};
type Fields = Readonly<Record<string, Field>>;
type Kind = { readonly properties: Fields & { readonly kind: { readonly const: string } }; readonly required: readonly string[] };

const page = readFileSync('docs/monitor.md', 'utf8');
const heading = '## Fields\n\n';

const schema = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' }) as unknown as {
  readonly properties: Fields & { readonly probes: { readonly items: { readonly oneOf: readonly Kind[] } } };
};

const shown = (value: unknown): string => (value === undefined ? '' : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``);

/** A table, its columns as wide as the formatter makes them. */
function table(fields: Fields, required: readonly string[] = []): string {
  const rows = Object.entries(fields).map(([name, field]) => [
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

const pick = (fields: Fields, isWanted: (name: string) => boolean): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => isWanted(name)));

function reference(): string {
  const { probes, ...rest } = schema.properties;
  const kinds = probes.items.oneOf;
  const [first] = kinds;
  const common = Object.keys(first?.properties ?? {}).filter((name) => kinds.every(({ properties }) => name in properties));
  const defaults = rest['defaults']?.properties ?? {};
  const everyProbe = pick(first?.properties ?? {}, (name) => common.includes(name) && !(name in defaults) && name !== 'kind');
  const sections: [string, string][] = [
    ['`defaults`, and in every probe', table(defaults)],
    ['Every probe', table(everyProbe, first?.required)],
    ...kinds.map(({ properties, required }): [string, string] => {
      const own = pick(properties, (name) => !common.includes(name));
      return [`\`kind: ${properties.kind.const}\``, Object.keys(own).length > 0 ? table(own, required) : 'No fields of its own.\n'];
    }),
    ...['maintenance', 'objectives', 'rotation', 'actions', 'flapping', 'delivery', 'backups'].map((name): [string, string] => {
      const field = rest[name];
      const fields = field?.properties ?? field?.anyOf?.find(({ properties }) => properties)?.properties ?? field?.items?.properties ?? {};
      const said = field?.description === undefined ? '' : `${field.description}\n\n`;
      return [`\`${name}\``, said + table(fields, field?.items?.required)];
    }),
  ];
  return sections.map(([title, text]) => `### ${title}\n\n${text}`).join('\n');
}

/** `npm run docs` writes it, by updating this snapshot. */
test('docs/monitor.md tells of every field what the schema of MONITOR_CONFIG says', async () => {
  const start = page.indexOf(heading) + heading.length;
  await expect(page.slice(0, start) + reference()).toMatchFileSnapshot('../../../../docs/monitor.md');
});
