import { compare, type Comparison } from '#loadtest/judge/comparison.ts';
import { inAll } from '#loadtest/judge/rounds.ts';
import { drawRounds, real, realEffects, type RealPlay } from './real-rounds.ts';

/** What every comparison here is asked. */
export const asked = { alpha: 0.01, gate: 0.05, effect: 0.1 };
export const fine = { problems: [], defects: [] };

/** What became of many comparisons of one kind. */
export type Row = { readonly says: string; readonly verdicts: Record<Comparison['verdict'], number>; p95Worse: number };

export const emptyRow = (says: string): Row => ({ says, verdicts: { PASS: 0, FAIL: 0, INVALID: 0 }, p95Worse: 0 });

export function count(row: Row, { verdict, metrics }: Comparison): void {
  row.verdicts[verdict] += 1;
  if (metrics.some(({ scope, metric, finding }) => scope === inAll && metric === 'p95' && finding === 'worse')) row.p95Worse += 1;
}

const share = (part: number, all: number): string => `${((100 * part) / all).toFixed(1)} %`;

function cells({ says, verdicts: { PASS, FAIL, INVALID }, p95Worse }: Row): string[] {
  const trials = PASS + FAIL + INVALID;
  return [says, String(trials), ...[FAIL, PASS, INVALID, p95Worse].map((part) => share(part, trials))];
}

export const show = (row: Row): string => cells(row).join(' · ');

const table = (rows: readonly Row[]): string =>
  [
    '| | comparisons | FAIL | PASS | INVALID | p95 in all called worse |',
    '|---|---:|---:|---:|---:|---:|',
    ...rows.map((row) => `| ${cells(row).join(' | ')} |`),
  ].join('\n');

const realTitle = '## Real servers';

/** The page with the part of one campaign written anew; that of the other stays as it is. Pure. */
export function withPart(page: string, part: string): string {
  const at = page.indexOf(realTitle);
  const [simulated, played] = at < 0 ? [page, ''] : [page.slice(0, at), page.slice(at)];
  return part.startsWith(realTitle) ? `${simulated.trimEnd()}\n\n${part}` : `${part.trimEnd()}\n\n${played}`;
}

export type Simulated = { readonly equal: readonly Row[]; readonly slower: readonly Row[] };

export const simulatedPart = ({ equal, slower }: Simulated, trials: number, seed: number): string => `# What \`compare\` is worth

Written by \`npm run compare-calibrate -- simulate --trials ${trials} --seed ${seed}\`, and its last part by \`… real --minutes 9\`.
[How it judges](compare.md).

Rounds are simulated, so that it is known which side is slower: 24 rounds, 1,500 answers a window over three endpoints whose
latencies are log-normal, and a machine that adds to every window what each line says. Asked is a difference of 10 %.

## B is as fast as A: every FAIL is a false alarm

${table(equal)}

## B is slower: every FAIL is right

${table(slower)}
`;

const drawnTrials = 200;

const sayEffect = (slower: number): string => (slower === 0 ? 'equal' : `+ ${100 * slower} %`);

/** @param machine as people say it, such as `a machine of 2 cores` */
export function realPart(plays: readonly RealPlay[], machine: string): string {
  const rows = realEffects.flatMap((slower) => {
    const ofKind = plays.filter((play) => play.slower === slower);
    const rounds = ofKind.flatMap((play) => play.rounds);
    if (rounds.length === 0) return [];
    const asPlayed = emptyRow(`${sayEffect(slower)}, as played`);
    for (const { rounds: own, circumstances } of ofKind) count(asPlayed, compare(own, asked, circumstances));
    const drawn = emptyRow(`${sayEffect(slower)}, drawn from these ${rounds.length} rounds`);
    for (let seed = 1; seed <= drawnTrials; seed += 1) count(drawn, compare(drawRounds(rounds, slower === 0, seed), asked, fine));
    return [asPlayed, drawn];
  });
  return `${realTitle}

Two servers whose latencies are log-normal from a seed (median ${real.medianMs} ms, B's by so much more), ${real.users} users by real generators,
${real.rounds} rounds of two windows of ${real.windowMs / 1_000} s, on ${machine}: what is INVALID there, the machine made. Below each kind of
comparison as it was played stand ${drawnTrials} that might have been: their rounds are drawn from those that were played, of equal sides with A
and B exchanged by a coin.

${table(rows)}
`;
}
