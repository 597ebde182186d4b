import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { showExchange } from '#loadtest/conformance/exchange.ts';
import type { Outcome } from '#loadtest/judge/outcome.ts';
import type { Conformance } from '#loadtest/conformance/report.ts';
import { checks, matters } from '#loadtest/conformance/suite.ts';

/** One row of the table, as it is kept. */
export type Row = {
  readonly name: string;
  /** Versions, store, windows. */
  readonly what: string;
  readonly findings: Readonly<Record<string, { readonly outcome: Outcome; readonly says: string; readonly witnesses: readonly string[] }>>;
};

/** @param what versions, store and windows, as the table shows them */
export const rowOf = (name: string, what: string, { judged }: Pick<Conformance, 'judged'>): Row => ({
  name,
  what,
  findings: Object.fromEntries(
    judged.map(({ check, finding: { outcome, says, witnesses } }) => [check.id, { outcome, says, witnesses: witnesses.map(showExchange) }]),
  ),
});

const root = resolve(import.meta.dirname, '../..');
/** `kept`: rows of earlier runs, so that one can be run again. */
const places = { kept: join(root, 'loadtest/reports/limiters.json'), page: join(root, 'docs/ratelimit-conformance.md') };

/**
 * Adds rows to those kept, and writes the page anew once every limiter has one.
 * @param names of all, in the order of the page
 * @returns those without a row, none when the page was written
 */
export async function publish(rows: readonly Row[], names: readonly string[]): Promise<readonly string[]> {
  const earlier = await readFile(places.kept, 'utf8').then(
    (text) => JSON.parse(text) as Record<string, Row>,
    () => ({}),
  );
  const all: Record<string, Row> = { ...earlier, ...Object.fromEntries(rows.map((row) => [row.name, row])) };
  await mkdir(dirname(places.kept), { recursive: true });
  await writeFile(places.kept, `${JSON.stringify(all, null, 2)}\n`);
  const missing = names.filter((name) => all[name] === undefined);
  if (missing.length > 0) return missing;
  const page = await readFile(places.page, 'utf8');
  const [before = ''] = page.split(generatedBelow);
  await writeFile(places.page, `${before}${generatedBelow}\n\n${conformanceTable(names.map((name) => all[name] as Row))}`);
  await promisify(execFile)(join(root, 'node_modules/.bin/oxfmt'), [places.page]);
  return [];
}

/** What stands above it in the page is written by people. */
const generatedBelow = '<!-- Written by npm run limiters. -->';

const escapeCell = (text: string): string => text.replaceAll(/[\r\n]+/g, ' ').replaceAll(/[|\\`*_<>[\]]/g, String.raw`\$&`);

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

/** A row a limiter, a column a matter, and below it each broken clause with the requests that show it. Pure. */
export function conformanceTable(rows: readonly Row[]): string {
  const names = Object.keys(matters);
  const head = ['limiter', 'what', ...names, 'in all', 'across a boundary'];
  const table = rows.map((row) => [
    escapeCell(row.name),
    escapeCell(row.what),
    ...names.map((name) => cell(row, idsOf(name))),
    cell(
      row,
      checks.map(({ id }) => id),
    ),
    escapeCell(row.findings['boundary']?.says ?? ''),
  ]);
  return [
    line(head),
    line(head.map(() => '---')),
    ...table.map(line),
    '',
    '## Each broken clause, with the requests that show it',
    '',
    ...rows.flatMap(brokenClauses),
    '## All checks',
    '',
    line(['check', 'clause', 'what is demanded']),
    line(['---', '---', '---']),
    ...checks.map(({ id, clause, title }) => line([`\`${id}\``, escapeCell(clause), escapeCell(title)])),
    '',
  ].join('\n');
}

const idsOf = (matter: string): string[] => matters[matter]?.checks.map(({ id }) => id) ?? [];

/** `7/8` kept of those that could be judged; `–` where the limiter does without. */
function cell({ findings }: Row, ids: readonly string[]): string {
  const outcomes = ids.map((id) => findings[id]?.outcome);
  const count = (outcome: Outcome): number => outcomes.filter((one) => one === outcome).length;
  const judged = count('PASS') + count('FAIL');
  if (judged === 0) return count('NOT SUPPORTED') > 0 ? '–' : 'not checked';
  return `${count('PASS')}/${judged}${count('FAIL') > 0 ? ' ✗' : ''}${count('INVALID') > 0 ? ' ?' : ''}`;
}

function brokenClauses(row: Row): string[] {
  const broken = checks.filter(({ id }) => row.findings[id]?.outcome === 'FAIL');
  if (broken.length === 0) return [`### ${row.name}`, '', 'None.', ''];
  const items = broken.map(({ id, clause }) => {
    const { says, witnesses } = row.findings[id] ?? { says: '', witnesses: [] };
    const seen = witnesses.slice(0, 2).map((one) => `  - ${escapeCell(one)}`);
    return [`- \`${id}\` (${clause}): ${escapeCell(says)}`, ...seen].join('\n');
  });
  return [`### ${row.name}`, '', ...items, ''];
}
