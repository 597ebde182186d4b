import type { BackupJob, BackupOverview } from '../backup/job.ts';
import type { Watch, TargetSnapshot } from '../health/watch.ts';
import type { Clock } from '../health/run-probe.ts';
import { judgeSelf, type SelfReport } from './self-watch.ts';
import type { ChannelBacklog, Incident, MonitorStore } from '../store/store.ts';

/** Everything the pages show, as of one moment. What could not be read is undefined. */
export type StatusSnapshot = {
  /** Ms of the epoch. */
  readonly now: number;
  readonly startedAt: number;
  readonly targets: readonly TargetSnapshot[];
  /** Newest first. */
  readonly incidents: readonly Incident[] | undefined;
  readonly channels: readonly ChannelBacklog[] | undefined;
  readonly backups:
    | { readonly state: 'off' }
    | { readonly state: 'unreadable' }
    | { readonly state: 'on'; readonly schedule: string; readonly overview: BackupOverview };
  readonly self: SelfReport;
};

export type SnapshotSources = {
  readonly watch: Watch;
  readonly store: MonitorStore;
  readonly channels: readonly string[];
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
  return async () => {
    const { at: now, clockMs } = sources.clock();
    const targets = sources.watch.snapshot();
    const channels = readOrUndefined(() => sources.channels.map((channel) => sources.store.outbox.backlog(channel, now - dayMs)));
    return {
      now,
      startedAt: started.at,
      targets,
      incidents: readOrUndefined(() => sources.store.recentIncidents(incidentsShown)),
      channels,
      backups: await readBackups(sources),
      self: judgeSelf({ targets, startedClockMs: started.clockMs, clockMs, now, backlog: channels }),
    };
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
