import { foldBeat, type Beat, type BeatRecord } from '../model/beat.ts';
import type { Clock, Moment } from '../model/look.ts';
import type { BeatLedger } from '../store/store.ts';

/** What jobs say, and what is remembered of it; it outlives the process. */
export type Beats = {
  /** Remembered in this process even where the store cannot take it. @throws {StoreError} */
  readonly hear: (probe: string, beat: Beat) => void;
  /** From the first time it is asked for on, a job is waited for. */
  readonly of: (probe: string) => Heard;
  /** Since when this process could hear anything. */
  readonly listeningSince: Moment;
  readonly now: Clock;
};

/** A record, and its moments on the clock that never jumps. */
export type Heard = BeatRecord & {
  /** Last good end; the beginning of the wait where there was none. */
  readonly waitingSinceMs: number;
  readonly startedMs: number | undefined;
};

/** @throws {StoreError} when what an earlier process heard cannot be read */
export function createBeats({ ledger, clock }: { readonly ledger: BeatLedger; readonly clock: Clock }): Beats {
  const listeningSince = clock();
  /** Of an earlier process the clock of the machine is all that is known; a time that has not come yet is now. */
  const onClock = (at: number): number => listeningSince.clockMs - Math.max(0, listeningSince.at - at);
  const heard = new Map<string, Heard>();
  for (const record of ledger.all()) {
    const { startedAt } = record;
    heard.set(record.probe, {
      ...record,
      waitingSinceMs: onClock(record.doneAt ?? record.awaitedAt),
      startedMs: startedAt === undefined ? undefined : onClock(startedAt),
    });
  }
  const isKept = new Set(heard.keys());
  const keep = (record: Heard): void => {
    ledger.write(record);
    isKept.add(record.probe);
  };
  const of = (probe: string): Heard => {
    const { at, clockMs } = clock();
    const known = heard.get(probe);
    const nothing = { doneAt: undefined, startedAt: undefined, failedAt: undefined, exitCode: undefined };
    const found = known ?? { probe, awaitedAt: at, ...nothing, waitingSinceMs: clockMs, startedMs: undefined };
    heard.set(probe, found);
    if (!isKept.has(probe)) keep(found);
    return found;
  };
  return {
    listeningSince,
    now: clock,
    of,
    hear: (probe, beat) => {
      const before = of(probe);
      const { at, clockMs } = clock();
      const after = {
        ...before,
        ...foldBeat(before, beat, at),
        waitingSinceMs: beat.says === 'done' ? clockMs : before.waitingSinceMs,
        startedMs: beat.says === 'start' ? clockMs : undefined,
      };
      heard.set(probe, after);
      keep(after);
    },
  };
}
