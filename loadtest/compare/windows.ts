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

/** What the windows of a comparison show. */
export type Played = { readonly rounds: readonly Round[]; readonly circumstances: Circumstances };

/** Two windows as they were measured. */
export type MeasuredRound = Readonly<Record<SideName, Measurement>> & Pick<Round, 'isSwapped'>;

/**
 * Reads the windows of a comparison from its folder.
 * @param settings names of what was set on either side
 * @throws {UsageError} when one is missing
 */
export async function readPlayed(dir: string, turns: readonly Turn[], settings: readonly string[]): Promise<Played> {
  const read = (round: number, side: SideName): Promise<Measurement> => readMeasurement(windowDir(dir, round, side));
  const measured: MeasuredRound[] = [];
  for (const [round, { isSwapped }] of turns.entries()) measured.push({ isSwapped, a: await read(round, 'a'), b: await read(round, 'b') });
  return playedOf(measured, settings);
}

/** Pure. */
export function playedOf(measured: readonly MeasuredRound[], settings: readonly string[]): Played {
  const findings = { problems: new Map<string, Finding>(), a: new Map<string, Finding>(), b: new Map<string, Finding>() };
  for (const [round, windows] of measured.entries()) {
    for (const side of ['a', 'b'] as const) {
      const { problems, broken } = examine(windows[side]);
      for (const check of problems) note(findings.problems, check, side, round);
      for (const check of broken) note(findings[side], check, side, round);
    }
  }
  return {
    rounds: measured.map(({ isSwapped, a, b }) => ({ isSwapped, a: windowOf(a), b: windowOf(b) })),
    circumstances: {
      // Whose A answers wrongly has nothing to hold B against.
      problems: [...settingProblems(measured[0], settings), ...[...findings.problems.values(), ...findings.a.values()].map(sayFinding)],
      defects: [...findings.b.values()].map(sayFinding),
    },
  };
}

/** What was set and is the same on both sides all the same: then nothing was compared. */
function settingProblems(round: MeasuredRound | undefined, names: readonly string[]): string[] {
  const [a, b] = [round?.a.target.effective, round?.b.target.effective];
  if (!a || !b || names.length === 0 || names.some((name) => JSON.stringify(a[name]) !== JSON.stringify(b[name]))) return [];
  return [`${names.map((name) => `${name} is ${JSON.stringify(a[name]) ?? 'not known to the API'}`).join(', ')} on both sides`];
}

type Finding = { readonly side: SideName; readonly check: Check; readonly rounds: number[] };

function note(findings: Map<string, Finding>, check: Check, side: SideName, round: number): void {
  const key = `${side} ${check.id}`;
  const known = findings.get(key) ?? { side, check, rounds: [] };
  known.rounds.push(round + 1);
  findings.set(key, known);
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
