import { readFile, writeFile } from 'node:fs/promises';
import { showCount, showDuration, showShare } from '#lib/show.ts';
import type { GrowthResult } from './growth.ts';
import type { Row } from './overload.ts';
import { FloorError } from './start-floor.ts';

/** The rows as a Markdown table. */
export function showOverload(rows: readonly Row[]): string {
  const sides = new Set(rows.map(({ side }) => side));
  const head = [
    'load',
    ...(sides.size > 1 ? ['source'] : []),
    'done',
    'of the peak',
    'p99',
    'refused',
    'p99 of refusals',
    'CPU of one',
    'lost',
    '/livez',
  ];
  const body = rows.map((row) => [
    row.load,
    ...(sides.size > 1 ? [row.side] : []),
    `${showCount(Math.round(row.goodPerSecond))}/s`,
    row.ofPeak === undefined ? '–' : showShare(row.ofPeak),
    row.good ? showDuration(row.good.p99Ms) : '–',
    showCount(row.refused?.count ?? 0),
    row.refused ? showDuration(row.refused.p99Ms) : '–',
    row.refusalUs === undefined ? '–' : `${row.refusalUs.toFixed(0)} µs`,
    showCount(row.lost),
    showDuration(row.livezMs),
  ]);
  return [line(head), line(head.map(() => '---')), ...body.map(line)].join('\n');
}

/** The medians as a Markdown table. */
export function showGrowth({ sizes, reads }: GrowthResult): string {
  const head = ['read', ...sizes.map((size) => `${showCount(size)} rows`)];
  const rows = Object.entries(reads).map(([name, times]) => line([name, ...times.map(showMs)]));
  return [line(head), line(['---', ...sizes.map(() => '---:')]), ...rows].join('\n');
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

const showMs = (ms: number): string => `${ms.toFixed(ms < 10 ? 2 : 0)} ms`;

const page = 'docs/performance.md';

/**
 * Puts a table into its place in docs/performance.md, which comments of that name mark.
 * @param command that writes it, named there
 * @throws {FloorError} when there is no such place
 */
export async function writeTable(name: string, table: string, command = `npm run bench -- ${name} --docs`): Promise<void> {
  const text = await readFile(page, 'utf8');
  const [from, to] = [`<!-- ${name}: ${command} -->\n`, `\n<!-- /${name} -->`];
  const [start, end] = [text.indexOf(from), text.indexOf(to)];
  if (start < 0 || end < start) throw new FloorError(`${page} has no place for ${name}`);
  await writeFile(page, `${text.slice(0, start + from.length)}\n${table}\n${text.slice(end)}`);
}
