/** What a job says of itself: that it begins, that it has ended well, that it has ended with a failure. */
export type Beat = { readonly says: 'start' } | { readonly says: 'done' } | { readonly says: 'fail'; readonly exitCode?: number };

/** All that is remembered of a job. Times: ms of the epoch. */
export type BeatRecord = {
  readonly probe: string;
  /** Since when it has been waited for. */
  readonly awaitedAt: number;
  /** Last good end. */
  readonly doneAt: number | undefined;
  /** Of a run that has not ended. */
  readonly startedAt: number | undefined;
  /** Of a failure that no good end has followed. */
  readonly failedAt: number | undefined;
  readonly exitCode: number | undefined;
};

/** The record once the job has said something more. A start leaves a failure before it as it is: only a good end makes it good. Pure. */
export function foldBeat(record: BeatRecord, beat: Beat, at: number): BeatRecord {
  if (beat.says === 'start') return { ...record, startedAt: at };
  const ended = { ...record, startedAt: undefined };
  if (beat.says === 'done') return { ...ended, doneAt: at, failedAt: undefined, exitCode: undefined };
  return { ...ended, failedAt: at, exitCode: beat.exitCode };
}

/** What the end of a URL says: nothing, `start`, `fail` or an exit code. Undefined: nothing of the kind. Pure. */
export function parseBeat(text: string): Beat | undefined {
  if (text === '' || text === '0') return { says: 'done' };
  if (text === 'start') return { says: 'start' };
  if (text === 'fail') return { says: 'fail' };
  return /^\d{1,3}$/.test(text) && Number(text) <= 255 ? { says: 'fail', exitCode: Number(text) } : undefined;
}
