import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { showCount, showDuration } from '#lib/show.ts';
import { writeTable } from '#bench/show-tables.ts';
import { markdownTable } from '../support/markdown-table.ts';
import type { Tally } from './campaign.ts';
import { kinds, type Kind } from './things.ts';

/** What campaigns came to, in words; and those that were kept, added up. */

export type Played = {
  readonly commit: string;
  readonly seed: number;
  readonly instances: number;
  readonly workers: number;
  readonly tookMs: number;
  readonly tally: Tally;
};

const keptFile = join(resolve(import.meta.dirname, '../..'), 'loadtest/reports/staleness.json');

/** Adds a campaign to those kept, for good: a stale answer stays one. Writes what they come to into docs/performance.md. */
export async function keep(played: Played): Promise<void> {
  const kept = JSON.parse(await readFile(keptFile, 'utf8').catch(() => '[]')) as readonly Played[];
  const all = [...kept, played];
  await mkdir(dirname(keptFile), { recursive: true });
  await writeFile(keptFile, `${JSON.stringify(all, null, 1)}\n`);
  await writeTable('staleness', tellAll(all), 'npm run staleness -- --docs');
}

const counts = ['reads', 'shown', 'stale', 'writes', 'failed', 'kills', 'freezes', 'holds'] as const;

/** Pure. */
export function addUp(tallies: readonly Tally[]): Tally {
  const sum = (of: (tally: Tally) => number): number => tallies.reduce((total, tally) => total + of(tally), 0);
  const sumOf = (kind: Kind) => ({
    reads: sum(({ of }) => of[kind].reads),
    writes: sum(({ of }) => of[kind].writes),
    stale: sum(({ of }) => of[kind].stale),
  });
  return {
    ...(Object.fromEntries(counts.map((name) => [name, sum((tally) => tally[name])])) as Record<(typeof counts)[number], number>),
    of: Object.fromEntries(kinds.map((kind) => [kind, sumOf(kind)])) as Tally['of'],
    witnesses: tallies.flatMap(({ witnesses }) => witnesses),
  };
}

/** One line. Pure. */
export function tell({ reads, shown, stale, writes, kills, freezes, holds, failed }: Tally): string {
  return (
    `${showCount(stale)} stale of ${showCount(reads)} reads (${showCount(shown)} things shown) beside ${showCount(writes)} writes, ` +
    `${showCount(kills)} kills, ${showCount(freezes)} freezes and ${showCount(holds)} held answers; ${showCount(failed)} requests were not answered`
  );
}

/** All of them as one, and of each resource a row. Pure. */
export function tellAll(all: readonly Played[]): string {
  const total = addUp(all.map(({ tally }) => tally));
  const settings = [...new Set(all.map(({ instances, workers }) => `${instances} instances of ${workers} workers`))];
  const tookMs = all.reduce((sum, one) => sum + one.tookMs, 0);
  const runs = all.map(({ seed, commit, tally }) => `seed ${seed} ${showCount(tally.reads)} on ${commit}`);
  const rows = kinds.map((kind) => [kind, ...(['reads', 'writes', 'stale'] as const).map((name) => showCount(total.of[kind][name]))]);
  return [
    `${tell(total)}; ${settings.join(', ')}, ${showDuration(tookMs)}; ${runs.join(', ')}.`,
    '',
    markdownTable(['resource', 'reads', 'writes', 'stale'], rows).trimEnd(),
    ...(total.witnesses.length === 0 ? [] : ['', ...total.witnesses.map((witness) => `- ${witness}`)]),
  ].join('\n');
}
