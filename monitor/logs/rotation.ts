import { messageOf } from '#lib/errors.ts';
import type { Logger } from '#lib/logger.ts';
import { showTime } from '#lib/show.ts';
import { decideDailyRun, latestSlot, type TimeOfDay } from '../model/daily-run.ts';
import type { Clock } from '../model/look.ts';
import type { Probe } from '../probes/probe.ts';
import type { JobRuns } from '../store/store.ts';
import { archivesOf, mayWriteTo, planRotation, type Entry, type RotationQuestion } from './archives.ts';
import { takeStep, type LogFiles } from './log-files.ts';
import { readWriters, type Writer } from './writers.ts';

/** Logs of one folder that are rotated together. */
export type RotatedLogs = {
  readonly name: string;
  readonly dir: string;
  readonly files: readonly string[];
  /** When, in UTC. */
  readonly time: TimeOfDay;
  /** Most archives of a file. */
  readonly keep: number;
};

export type Rotation = {
  /** Renames what is due, compresses and removes what may be. Never throws; what went wrong is a problem until it no longer does. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  /** Looks like any other probe: what does not go as it should, or how it went. */
  readonly probe: Probe;
};

export type RotationDeps = {
  readonly files: LogFiles;
  readonly jobRuns: Pick<JobRuns, 'begin' | 'end' | 'endCutOff' | 'recent'>;
  readonly clock: Clock;
  readonly logger: Logger;
};

/** A writer looks at its paths every second; one that has not gone over for so long will not. */
const acknowledgeWithinMs = 60_000;
const runsLookedAt = 50;

/** Rotates the logs of a folder once a day, decided from what was done. Whatever a run that was cut off has left is finished by the next. */
export function createRotation(logs: RotatedLogs, { files, jobRuns, clock, logger }: RotationDeps): Rotation {
  /** Why the last run could not do everything, and since when which writer holds which archive. */
  let fault: string | undefined;
  let heldSinceMs = new Map<string, number>();
  for (const file of logs.files)
    jobRuns.endCutOff(jobOf(logs, file), { at: clock().at, detail: 'the monitor was killed in the middle of it' });

  const isDue = (file: string, now: number): boolean => {
    const runs = jobRuns.recent(jobOf(logs, file), runsLookedAt);
    const failed = runs.filter(({ startedAt, outcome }) => outcome === 'failed' && startedAt >= latestSlot(logs.time, now));
    const lastDoneAt = runs.find(({ outcome }) => outcome === 'done')?.startedAt;
    return decideDailyRun(logs.time, { lastDoneAt, failedAttempts: failed.length, lastAttemptAt: failed[0]?.startedAt }, now).isDue;
  };
  const rotate = async (file: string, seen: Seen, signal: AbortSignal): Promise<void> => {
    const { at } = clock();
    const key = isDue(file, at) ? jobRuns.begin(jobOf(logs, file), at, 'daily') : undefined;
    try {
      for (const step of planRotation({ file, ...seen, isDue: key !== undefined, keep: logs.keep, now: at })) {
        await takeStep(files, logs.dir, step, signal);
        logger.info({ dir: logs.dir, ...step }, 'log rotation');
      }
    } catch (err) {
      if (key !== undefined) jobRuns.end(key, { at: clock().at, outcome: signal.aborted ? 'put_off' : 'failed', detail: messageOf(err) });
      throw err;
    }
    if (key !== undefined) jobRuns.end(key, { at: clock().at, outcome: 'done', detail: '' });
  };
  const rotateAll = async (signal: AbortSignal): Promise<void> => {
    const { at, clockMs } = clock();
    const { writers, unreadable } = await readWriters(logs.dir, at);
    const entries = await files.list(logs.dir);
    const named = (file: string): number[] => writers.flatMap(({ files: { [file]: inode } }) => inode ?? []);
    const inUseOf = (file: string): Set<number> =>
      new Set(unreadable.length > 0 ? entries.map(({ inode }) => inode) : named(file).flatMap((inode) => mayWriteTo(inode, file, entries)));
    heldSinceMs = heldBy(logs.files, entries, writers, { before: heldSinceMs, nowMs: clockMs });
    const ended = await Promise.allSettled(logs.files.map((file) => rotate(file, { entries, inUse: inUseOf(file) }, signal)));
    for (const each of ended) if (each.status === 'rejected') throw each.reason;
    if (unreadable.length > 0) throw new Error(`${logs.dir}/.writers/${unreadable[0]} cannot be understood, so nothing is compressed`);
  };
  return {
    run: async (signal) => {
      try {
        await rotateAll(signal);
        fault = undefined;
      } catch (err) {
        if (signal.aborted) return;
        fault = messageOf(err);
        logger.error({ err, dir: logs.dir }, 'logs could not be rotated');
      }
    },
    probe: async () => {
      const { clockMs } = clock();
      const holders = [...heldSinceMs].filter(([, sinceMs]) => clockMs - sinceMs >= acknowledgeWithinMs).map(([what]) => what);
      if (fault !== undefined)
        return {
          outcome: 'failed',
          detail: `logs in ${logs.dir} are not rotated: ${fault}`,
          nextStep: { code: 'seeFolder' },
        };
      if (holders.length > 0)
        return {
          outcome: 'failed',
          detail: `${holders.join('; ')}: it stays as it is`,
          nextStep: { code: 'restartWriter' },
        };
      const [last] = logs.files.flatMap(
        (file) => jobRuns.recent(jobOf(logs, file), runsLookedAt).find(({ outcome }) => outcome === 'done') ?? [],
      );
      const entries = await files.list(logs.dir);
      const count = logs.files.reduce((sum, file) => sum + archivesOf(file, entries).length, 0);
      return { outcome: 'ok', detail: `${last ? `rotated ${showTime(last.startedAt)}` : 'not rotated yet'}; ${count} archives` };
    },
  };
}

type Seen = Pick<RotationQuestion, 'entries' | 'inUse'>;

/** A file is a job of its own: where another fails, it is not renamed twice. */
const jobOf = ({ name }: RotatedLogs, file: string): string => `rotate ${name} ${file}`;

/** Who still writes to what was renamed: `api worker 2 (process 41) still writes to access.log-20261126`, and since when. */
function heldBy(
  files: readonly string[],
  entries: readonly Entry[],
  writers: readonly Writer[],
  { before, nowMs }: { readonly before: ReadonlyMap<string, number>; readonly nowMs: number },
): Map<string, number> {
  const held = files.flatMap((file) =>
    archivesOf(file, entries).flatMap(({ entry }) =>
      writers.filter((writer) => writer.files[file] === entry.inode).map((writer) => `${writer.name} still writes to ${entry.name}`),
    ),
  );
  return new Map(held.map((what) => [what, before.get(what) ?? nowMs]));
}
