import { showDuration, showShare } from '#lib/show.ts';
import type { Outcome } from '../judge/outcome.ts';
import { exhaustedShare } from '../judge/slowness.ts';
import type { Exchange, Kind, Reading, Recording } from './recording.ts';

export type Finding = { readonly outcome: Outcome; readonly says: string; readonly witnesses: readonly string[] };

/** One property of a pool. */
export type Check = {
  /** `P1` to `P14`, and a name that is stable, for scripts. */
  readonly id: string;
  readonly title: string;
  /** Pure. */
  readonly judge: (recording: Recording) => Finding;
};

const maxWitnesses = 4;
const finding =
  (outcome: Outcome) =>
  (says: string, witnesses: readonly string[] = []): Finding => ({ outcome, says, witnesses: witnesses.slice(0, maxWitnesses) });

export const pass = finding('PASS');
export const fail = finding('FAIL');
export const notSupported = finding('NOT SUPPORTED');
export const notChecked = finding('NOT CHECKED');
export const invalid = finding('INVALID');

export const asked = ({ exchanges }: Recording, stage: string, kind?: Kind): Exchange[] =>
  exchanges.filter((one) => one.stage === stage && (kind === undefined || one.kind === kind));

export const looks = ({ readings }: Recording, stage: string): Reading[] => readings.filter((one) => one.stage === stage);

export const isGood = ({ status }: Exchange): boolean => status !== null && status < 300;

export const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
}

/**
 * FAIL of what want of CPU makes too; INVALID where the machine had none left while the stage was played. The shop itself needs hardly
 * any: what it is asked in these stages is to wait.
 */
export function failUnlessExhausted(recording: Recording, stage: string, says: string, witnesses: readonly string[]): Finding {
  const busy = busyIn(recording, stage);
  return busy < exhaustedShare ? fail(says, witnesses) : invalid(`${says}, while ${showShare(busy)} of this machine was in use`, witnesses);
}

/** FAIL, or, where all that failed had to wait as long as the acquire timeout, as above. */
export function failOf(recording: Recording, stage: string, says: string, exchanges: readonly Exchange[]): Finding {
  const { timeoutMs } = recording.settings;
  const isSlow = exchanges.every(({ sentMs, endedMs }) => endedMs - sentMs >= timeoutMs);
  return isSlow ? failUnlessExhausted(recording, stage, says, exchanges.map(showExchange)) : fail(says, exchanges.map(showExchange));
}

/** The share of this machine's CPU that was in use while a stage was played; 0 where it cannot be told. */
function busyIn({ readings }: Recording, stage: string): number {
  const first = readings.findIndex((one) => one.stage === stage);
  const [before, after] = [readings[Math.max(0, first - 1)]?.cpu, readings.findLast((one) => one.stage === stage)?.cpu];
  if (first < 0 || !before || !after || after.all <= before.all) return 0;
  return 1 - (after.idle - before.idle) / (after.all - before.all);
}

/** By how much client and machine were late at worst while a stage was played. */
export const latenessIn = (recording: Recording, stage: string): number =>
  Math.max(0, ...looks(recording, stage).map(({ lateMs }) => lateMs));

/** `order: 503 after 2.1 s, Retry-After 1, in hold`. */
export function showExchange({ kind, status, sentMs, endedMs, retryAfter, stage }: Exchange): string {
  const what = status === null ? 'no answer' : `${status}`;
  return `${kind}: ${what} after ${showDuration(endedMs - sentMs)}, Retry-After ${retryAfter ?? 'missing'}, in ${stage}`;
}

/** `8 of 8 in use, 3 waiting, 9 sessions, 1.2 s into hold`. */
export function showReading({ inUse, waiting, capacity, sessions, atMs, stage }: Reading, { stages }: Recording): string {
  const into = showDuration(atMs - (stages[stage]?.fromMs ?? atMs));
  return `${inUse ?? '?'} of ${capacity ?? '?'} in use, ${waiting ?? '?'} waiting, ${sessions?.length ?? '?'} sessions, ${into} into ${stage}`;
}

/**
 * Completed in a second, over the middle of a stage: its beginning fills the pool, its end empties it. Requests of a second come in
 * flocks, so one that lies partly in the middle counts with that part.
 */
export function completedPerSecond(recording: Recording, stage: string, of: readonly Exchange[]): number {
  const { fromMs, toMs } = middleOf(recording, stage);
  const parts = of.map(({ sentMs, endedMs }) => overlap(sentMs, endedMs, { fromMs, toMs }) / Math.max(1, endedMs - sentMs));
  return parts.reduce((sum, part) => sum + part, 0) / ((toMs - fromMs) / 1_000);
}

/** Slow requests that were served, a second. */
export const goodput = (recording: Recording, stage: string): number =>
  completedPerSecond(recording, stage, asked(recording, stage, 'slow').filter(isGood));

type Stretch = { readonly fromMs: number; readonly toMs: number };

export function middleOf({ stages }: Recording, stage: string): Stretch {
  const { fromMs = 0, toMs = 0 } = stages[stage] ?? {};
  return { fromMs: fromMs + edgeMs, toMs: Math.max(fromMs + edgeMs + 1, toMs - edgeMs) };
}

/** How long both lasted at once. */
export const overlap = (fromMs: number, toMs: number, other: Stretch): number =>
  Math.max(0, Math.min(toMs, other.toMs) - Math.max(fromMs, other.fromMs));

const edgeMs = 1_200;
