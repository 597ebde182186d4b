import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { showCount } from '#lib/show.ts';
import { mutants } from './mutants.ts';
import type { Caught } from './play.ts';
import type { RoundResult } from './round.ts';
import { rules } from './rules.ts';
import { tellSize, type SoakResult } from './soak.ts';
import { faultKinds, type FaultKind } from './schedule.ts';

/** The results of rounds and mutants, kept from run to run, and the page that adds them up. */

const root = resolve(import.meta.dirname, '../..');
const places = { kept: join(root, 'loadtest/reports/torture.json'), page: join(root, 'docs/torture.md') };

type Played = { readonly commit: string };
export type Kept = {
  /** By seed. */
  readonly rounds: Readonly<Record<string, RoundResult & Played>>;
  /** By name. */
  readonly mutants: Readonly<Record<string, Caught & Played>>;
  /** The last one. */
  readonly soak?: SoakResult & Played;
};

export async function readKept({ kept } = places): Promise<Kept> {
  const text = await readFile(kept, 'utf8').catch(() => '{"rounds":{},"mutants":{}}');
  return JSON.parse(text) as Kept;
}

/** Adds a result to those kept, and writes the page anew. */
export async function keep(change: (kept: Kept) => Kept, { kept: file, page } = places): Promise<void> {
  const kept = change(await readKept({ kept: file, page }));
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(kept, null, 1)}\n`);
  if (Object.keys(kept.rounds).length === 0) return;
  await writeFile(page, markdown(kept));
  await promisify(execFile)(join(root, 'node_modules/.bin/oxfmt'), [page]);
}

/** Added up over rounds. Pure. */
export function totalsOf(rounds: readonly RoundResult[]) {
  const sum = (of: (round: RoundResult) => number): number => rounds.reduce((total, round) => total + of(round), 0);
  const added = (of: (round: RoundResult) => Readonly<Record<string, number>>): Record<string, number> => {
    const total: Record<string, number> = {};
    for (const round of rounds) for (const [name, count] of Object.entries(of(round))) total[name] = (total[name] ?? 0) + count;
    return total;
  };
  const hits = added(({ hits: own }) => own);
  return {
    rounds: rounds.length,
    minutes: sum(({ playedMs }) => playedMs) / 60_000,
    requests: sum(({ requests }) => requests),
    answered: sum(({ requests, unanswered }) => requests - unanswered),
    faults: Object.values(hits).reduce((total, count) => total + count, 0),
    hits,
    writes: added(({ writes }) => writes),
    open: sum(({ open }) => open),
    violations: rounds.flatMap(({ violations }) => violations),
  };
}

/** One line for people. */
export function tellTotals(rounds: readonly RoundResult[]): string {
  const { minutes, requests, answered, faults, open, violations } = totalsOf(rounds);
  return (
    `${showCount(violations.length)} violations in ${showCount(requests)} requests (${showCount(answered)} answered) under ${showCount(faults)} faults, ` +
    `${minutes.toFixed(1)} min: ${Math.round(requests / minutes / 60)} requests/s, ${Math.round(faults / minutes)} faults/min; ` +
    `${showCount(open)} open requests, all asked for`
  );
}

const cell = (text: string): string =>
  text
    .replaceAll('|', String.raw`\|`)
    .replaceAll(/\s+/g, ' ')
    .slice(0, 200);

const tellSoak = ({ round, perSecond, sizes, commit }: SoakResult & Played): string => `## Soak

\`npm run torture -- soak\`: the same clients with no faults for ${Math.round(round.playedMs / 1_000)} s, a fifth of it as fast as they like, then ${Math.round(perSecond)} requests/s and nothing compiled any more; a minute of the rate limit lasts a second, so that what it keeps for an hour comes and goes as well. On ${commit}:
${round.violations.length} violations in ${showCount(round.requests)} requests. How the processes of the API grew after the first third, by Theil–Sen through the medians of half minutes, with an interval of 99.9 %:

${sizes.map((size) => `- ${tellSize(size)}`).join('\n')}

`;

function markdown({ rounds, mutants: caught, soak }: Kept): string {
  const played = Object.values(rounds);
  const totals = totalsOf(played);
  const commits = [...new Set([...played, ...Object.values(caught)].map(({ commit }) => commit))];
  const kinds = Object.keys(faultKinds) as FaultKind[];
  const writes = [...new Set(Object.keys(totals.writes).map((name) => name.split(' ')[0] as string))].toSorted();
  const broken = (rule: string): number => totals.violations.filter((one) => one.rule === rule).length;
  return `# Torture

The real stack (primary and three workers, PostgreSQL, Redis) under clients that write down what they asked for and were told, while a
nemesis does what a seed says. Then everything is brought back, every open request is asked for by its Idempotency-Key, and a judge
holds what the clients were told against what the database holds. \`npm run torture -- --seed N --minutes M\` plays rounds and writes this
page from all that were kept; \`npm run torture -- mutants\` plays servers with one thing wrong in them. How it is done stands in
\`test/torture/\`. PostgreSQL runs without fsync: what a killed process had written is there, a machine without power is not played.

${tellTotals(played)}; seeds ${Object.keys(rounds).join(', ')}. Played on ${commits.join(', ')}.

| what must hold | violations |
| --- | ---: |
${Object.entries(rules)
  .map(([rule, says]) => `| ${rule}: ${cell(says)} | ${broken(rule)} |`)
  .join('\n')}

| fault | what happens | times |
| --- | --- | ---: |
${kinds.map((kind) => `| ${kind} | ${cell(faultKinds[kind].says)} | ${totals.hits[kind] ?? 0} |`).join('\n')}

| write | acknowledged | refused | unknown to its client at first |
| --- | ---: | ---: | ---: |
${writes
  .map((kind) => `| ${kind} | ${['acknowledged', 'refused', 'unknown'].map((how) => totals.writes[`${kind} ${how}`] ?? 0).join(' | ')} |`)
  .join('\n')}

${soak === undefined ? '' : tellSoak(soak)}## Mutants

${mutants.filter(({ name }) => caught[name]?.isNamed === true).length} of ${mutants.length} caught and named.

| mutant | what is wrong | rules broken | witness |
| --- | --- | --- | --- |
${mutants
  .map(({ name, says }) => {
    const found = caught[name];
    return `| ${name} | ${cell(says)} | ${found === undefined ? 'not played yet' : `${found.rules.join(', ')}${found.isNamed ? '' : ' ✗'}`} | ${cell(found?.witness ?? '')} |`;
  })
  .join('\n')}
`;
}
