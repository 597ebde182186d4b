import type { BackupJob, BackupOverview } from '../backup/job.ts';
import type { Watch, TargetSnapshot } from '../health/watch.ts';
import type { Clock } from '../model/look.ts';
import { historyDays } from './history-view.ts';
import { judgeSelf, type SelfReport } from './self-watch.ts';
import type { ChannelState } from '../model/alert.ts';
import type { Incident } from '../model/incident.ts';
import type { Silence, TimelineEntry } from '../model/quiet.ts';
import type { DayTally } from '../model/tally.ts';
import type { Maintenance } from '../quiet/maintenance.ts';
import type { Silences } from '../quiet/silences.ts';
import type { MonitorStore } from '../store/store.ts';

/** Everything the pages show, as of one moment. What could not be read is undefined. */
export type StatusSnapshot = {
  /** Ms of the epoch. */
  readonly now: number;
  readonly startedAt: number;
  readonly targets: readonly TargetSnapshot[];
  /** Newest first. */
  readonly incidents: readonly Incident[] | undefined;
  /** Silences in force, and planned work. */
  readonly silences: readonly Silence[];
  readonly maintenance: readonly Maintenance[];
  /** What was asked for or decided lately, newest first. */
  readonly timeline: readonly TimelineEntry[] | undefined;
  /** Reads how targets were, day by day, for those who ask. @throws {StoreError} */
  readonly readTallies: () => readonly DayTally[];
  readonly channels: readonly ChannelState[] | undefined;
  readonly backups:
    | { readonly state: 'off' }
    | { readonly state: 'unreadable' }
    | { readonly state: 'on'; readonly schedule: string; readonly overview: BackupOverview };
  readonly self: SelfReport;
};

export type SnapshotSources = {
  readonly watch: Watch;
  readonly store: Pick<MonitorStore, 'recentIncidents' | 'recentTimeline' | 'tallies'>;
  readonly silences: Silences;
  readonly maintenance: readonly Maintenance[];
  /** @throws {StoreError} */
  readonly channels: () => readonly ChannelState[];
  /** Why and since when the store takes nothing. */
  readonly storeFault: () => { readonly why: string } | undefined;
  readonly settingsFault: () => string | undefined;
  /** Undefined when backups are off. */
  readonly backupJob: BackupJob | undefined;
  /** Time of day, such as 02:00. */
  readonly backupSchedule: string;
  readonly clock: Clock;
};

const incidentsShown = 20;
const dayMs = 86_400_000;

/** @returns a function that takes the snapshot; that one never throws */
export function createSnapshotTaker(sources: SnapshotSources): () => Promise<StatusSnapshot> {
  const started = sources.clock();
  const readTallies = keepPast(sources.store.tallies);
  return async () => {
    const moment = sources.clock();
    const { at: now, clockMs } = moment;
    const targets = sources.watch.snapshot();
    const channels = readOrUndefined(sources.channels);
    return {
      now,
      startedAt: started.at,
      targets,
      incidents: readOrUndefined(() => sources.store.recentIncidents(incidentsShown)),
      silences: sources.silences.inForce(moment),
      maintenance: sources.maintenance,
      readTallies: () => readTallies(Math.floor(now / dayMs)),
      timeline: readOrUndefined(() => sources.store.recentTimeline(incidentsShown)),
      channels,
      backups: await readBackups(sources),
      self: judgeSelf({
        targets,
        startedClockMs: started.clockMs,
        clockMs,
        now,
        channels,
        storeFault: sources.storeFault()?.why,
        settingsFault: sources.settingsFault(),
      }),
    };
  };
}

/**
 * Days that are over stay as they are, so they are read once a day: of 400 days of a dozen targets that is all but a few rows.
 * Yesterday is read again, since the look at midnight tells of both days.
 */
function keepPast(read: MonitorStore['tallies']): (today: number) => readonly DayTally[] {
  let past: { readonly today: number; readonly tallies: readonly DayTally[] } | undefined;
  return (today) => {
    if (past?.today !== today) past = { today, tallies: read(today - historyDays + 1).filter(({ day }) => day < today - 1) };
    return [...past.tallies, ...read(today - 1)];
  };
}

async function readBackups({ backupJob, backupSchedule }: SnapshotSources): Promise<StatusSnapshot['backups']> {
  if (!backupJob) return { state: 'off' };
  try {
    return { state: 'on', schedule: backupSchedule, overview: await backupJob.overview() };
  } catch {
    return { state: 'unreadable' };
  }
}

function readOrUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
