import { showDuration } from '#lib/show.ts';
import type { Exchange, Kind, Reading, Recording } from './recording.ts';

/**
 * `NOT SUPPORTED`: the service does without it, which it may. `NOT CHECKED`: it cannot be seen here. `INVALID`: client or machine
 * may have made what was seen, or the property was never put to the test.
 */
export type Outcome = 'PASS' | 'FAIL' | 'NOT SUPPORTED' | 'NOT CHECKED' | 'INVALID';

export type Finding = { readonly outcome: Outcome; readonly says: string; readonly witnesses: readonly string[] };

/** One property of a pool. */
export type Check = {
  /** `P1` to `P13`, and a name that is stable, for scripts. */
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

/** By how much client and machine were late at worst while a stage was played. */
export const latenessIn = (recording: Recording, stage: string): number =>
  Math.max(0, ...looks(recording, stage).map(({ lateMs }) => lateMs));

/** `order: 503 after 2.1 s, Retry-After 1, in hold`. */
export function showExchange({ kind, status, sentMs, endedMs, retryAfter, stage }: Exchange): string {
  const what = status === null ? 'no answer' : `${status}`;
  return `${kind}: ${what} after ${showDuration(endedMs - sentMs)}, Retry-After ${retryAfter ?? 'missing'}, in ${stage}`;
}

/** `8 of 8 in use, 3 waiting, 9 sessions, 1.2 s into hold`. */
export function showReading({ inUse, waiting, sessions, atMs, stage }: Reading, { stages }: Recording): string {
  const into = showDuration(atMs - (stages[stage]?.fromMs ?? atMs));
  return `${inUse ?? '?'} in use, ${waiting ?? '?'} waiting, ${sessions?.length ?? '?'} sessions, ${into} into ${stage}`;
}

/** Completed well in a second, over the middle of a stage: its beginning fills the pool, its end empties it. */
export function goodput(recording: Recording, stage: string, kind: Kind): { readonly perSecond: number; readonly of: readonly Exchange[] } {
  const { fromMs = 0, toMs = 0 } = recording.stages[stage] ?? {};
  const [from, to] = [fromMs + edgeMs, toMs - edgeMs];
  const of = asked(recording, stage, kind).filter((one) => isGood(one) && one.endedMs >= from && one.endedMs < to);
  return { perSecond: of.length / Math.max(1e-3, (to - from) / 1_000), of };
}

export const edgeMs = 1_200;
