import { join } from 'node:path';
import type { Check } from '../judge/check.ts';
import { figuresOf, type EndpointFigures } from '../judge/figures.ts';
import { inAll, type Round, type Window, type WindowFigures } from '../judge/rounds.ts';
import { judge } from '../judge/verdict.ts';
import type { Circumstances } from '../judge/comparison.ts';
import { errorCount, settledCount } from '../measurement/merge.ts';
import { readMeasurement } from '../measurement/measurement-file.ts';
import type { Measurement } from '../measurement/measurement.ts';
import { showWitness } from '../measurement/witness.ts';
import { windowJudges } from './compare-plan.ts';
import type { Turn } from './schedule.ts';

export type SideName = 'a' | 'b';

/** The folder of one window, inside that of the comparison: a whole measurement, as any run writes one. */
export const windowDir = (dir: string, round: number, side: SideName): string => join(dir, `${String(round + 1).padStart(2, '0')}-${side}`);

/** What the windows of a comparison show, read from their files. */
export type Played = { readonly rounds: readonly Round[]; readonly circumstances: Circumstances };

export async function readPlayed(dir: string, turns: readonly Turn[]): Promise<Played> {
  const rounds: Round[] = [];
  const found = { problems: new Map<string, Finding>(), broken: { a: new Map<string, Finding>(), b: new Map<string, Finding>() } };
  for (const [round, { isSwapped }] of turns.entries()) {
    const windows = { a: await readMeasurement(windowDir(dir, round, 'a')), b: await readMeasurement(windowDir(dir, round, 'b')) };
    for (const side of ['a', 'b'] as const) {
      const { problems, broken } = examine(windows[side]);
      for (const check of problems) note(found.problems, check, side, round);
      for (const check of broken) note(found.broken[side], check, side, round);
    }
    rounds.push({ isSwapped, a: windowOf(windows.a), b: windowOf(windows.b) });
  }
  return { rounds, circumstances: circumstancesOf(found) };
}

type Finding = { readonly side: SideName; readonly check: Check; readonly rounds: number[] };

function note(findings: Map<string, Finding>, check: Check, side: SideName, round: number): void {
  const key = `${side} ${check.id}`;
  const known = findings.get(key) ?? { side, check, rounds: [] };
  known.rounds.push(round + 1);
  findings.set(key, known);
}

/** Wrong content of B alone is a defect of B; that of A says that A is no measure. */
function circumstancesOf({
  problems,
  broken,
}: {
  problems: Map<string, Finding>;
  broken: Record<SideName, Map<string, Finding>>;
}): Circumstances {
  return {
    problems: [...problems.values(), ...broken.a.values()].map(sayFinding),
    defects: [...broken.b.values()].map(sayFinding),
  };
}

function sayFinding({ side, check, rounds }: Finding): string {
  const [witness] = check.witnesses ?? [];
  const seen = witness === undefined ? '' : `; ${showWitness(witness)}`;
  return `${side.toUpperCase()}, round ${rounds.slice(0, 3).join(', ')}${rounds.length > 3 ? ` and ${rounds.length - 3} more` : ''}: ${check.reason}${seen}`;
}

/** What a client is late by it is late by on both sides. */
const sharedByBoth = 'send-lag';

/** What is wrong with a window besides its speed and its share of errors, which only the other side tells the limits of. */
function examine(measurement: Measurement): { problems: Check[]; broken: Check[] } {
  const broken = judge(measurement, windowJudges(measurement.scenario)).checks.filter(({ outcome }) => outcome === 'broken');
  return {
    problems: broken.filter(({ kind, id }) => kind === 'innocence' && id !== sharedByBoth),
    broken: broken.filter(({ kind }) => kind === 'content' || kind === 'invariant'),
  };
}

/** The figures of one window. Pure. */
export function windowOf(measurement: Measurement): Window {
  const { latency, counts, throughput, endpoints } = figuresOf(measurement);
  return {
    [inAll]: figures({ latency, counts }, throughput),
    ...Object.fromEntries(endpoints.map((one) => [one.endpoint, figures(one, null)])),
  };
}

const figures = ({ latency, counts }: Pick<EndpointFigures, 'latency' | 'counts'>, perSecond: number | null): WindowFigures => ({
  p50Ms: latency.p50Ms,
  p95Ms: latency.p95Ms,
  p99Ms: latency.p99Ms,
  perSecond,
  answers: latency.count,
  errors: errorCount(counts),
  settled: settledCount(counts),
});
