import { BusyError, messageOf } from '#lib/errors.ts';
import type { Logger } from '#lib/logger.ts';
import { redactText } from '#lib/redact.ts';
import { decideDailyRun, latestSlot, type RunHistory, type ScheduleDecision, type TimeOfDay } from '../model/daily-run.ts';
import type { JobRun, JobRuns } from '../store/store.ts';

/** One finished backup of the watched database. */
export type KnownBackup = {
  readonly id: string;
  /** ISO time of the snapshot. */
  readonly takenAt: string;
  readonly state: 'written' | 'verified' | 'failed';
  readonly sizeBytes: number;
};

/** What the job does, in its order. Each may take long and ends early when the signal fires. */
export type BackupSteps = {
  /** Newest first. */
  readonly list: () => Promise<readonly KnownBackup[]>;
  readonly take: (signal: AbortSignal) => Promise<{ readonly id: string; readonly sizeBytes: number }>;
  readonly verify: (id: string, signal: AbortSignal) => Promise<{ readonly ok: boolean; readonly reasons: readonly string[] }>;
  /** Deletes what retention no longer keeps. */
  readonly expire: (signal: AbortSignal) => Promise<unknown>;
};

/** The catalogue and the job's own record, as probes and pages read them. Times: ms of the epoch. */
export type BackupOverview = {
  readonly backups: readonly KnownBackup[];
  readonly newestVerifiedAt: number | undefined;
  /** Why the latest attempt that ended failed; undefined when it did not, or when a verified backup came after it. */
  readonly lastFailure: string | undefined;
  /** First attempt ever, or now: until then no backup was expected. */
  readonly watchedSince: number;
  /** Start of this process: before it, nobody could make a backup. */
  readonly startedAt: number;
  readonly isRunning: boolean;
  readonly decision: ScheduleDecision;
};

export type BackupJob = {
  /** Runs the job if it is due; resolves when it has ended. Never throws, and never runs twice at a time. */
  readonly runIfDue: (signal: AbortSignal) => Promise<ScheduleDecision | undefined>;
  /** @throws when the catalogue or the store cannot be read */
  readonly overview: () => Promise<BackupOverview>;
};

export type BackupJobDeps = {
  readonly time: TimeOfDay;
  readonly steps: BackupSteps;
  readonly jobRuns: JobRuns;
  readonly now: () => number;
  readonly logger: Logger;
};

const jobName = 'backup';

/** In the failure of a backup that was taken, and whose verification said no. */
export const doesNotRestore = 'does not restore';

/** Retries are 15 minutes apart and a slot lasts a day, so more attempts than this never fall into one. */
const attemptsLookedAt = 100;

/**
 * The daily backup: take, verify, expire. Whether it is due is read from the catalogue and from the attempts on record, so
 * that restarts neither skip nor repeat it. Nothing expires unless the new backup was verified.
 */
export function createBackupJob(deps: BackupJobDeps): BackupJob {
  const startedAt = deps.now();
  let isRunning = false;
  recordCutOff(deps);
  return {
    overview: async () => describe(deps, await deps.steps.list(), { startedAt, isRunning }),
    runIfDue: async (signal) => {
      if (isRunning || signal.aborted) return undefined;
      isRunning = true;
      try {
        const decision = decide(deps, await deps.steps.list());
        if (decision.isDue) await runOnce(deps, decision.reason, signal);
        return decision;
      } catch (err) {
        deps.logger.error({ err }, 'the backup job could not run');
        return undefined;
      } finally {
        isRunning = false;
      }
    },
  };
}

/** Only one monitor runs on a store: a run without an end was cut off with the process that made it. */
function recordCutOff({ jobRuns, now, logger }: BackupJobDeps): void {
  try {
    const runs = jobRuns.endCutOff(jobName, { at: now(), detail: 'the monitor was killed in the middle of it' });
    if (runs > 0) logger.error({ runs }, 'a backup was cut off when the monitor was killed');
  } catch (err) {
    logger.error({ err }, 'a backup that was cut off could not be recorded');
  }
}

async function runOnce(deps: BackupJobDeps, reason: string, signal: AbortSignal): Promise<void> {
  const key = deps.jobRuns.begin(jobName, deps.now(), reason);
  deps.logger.info({ reason }, 'backup started');
  try {
    const taken = await deps.steps.take(signal);
    const verdict = await deps.steps.verify(taken.id, signal);
    if (!verdict.ok) throw new Error(`${taken.id} ${doesNotRestore}: ${verdict.reasons.join('; ') || 'no reason given'}`);
    await deps.steps.expire(signal);
    deps.jobRuns.end(key, { at: deps.now(), outcome: 'done', detail: taken.id });
    deps.logger.info({ backupId: taken.id, sizeBytes: taken.sizeBytes }, 'backup taken and verified');
  } catch (err) {
    const detail = redactText(messageOf(err).replaceAll(/\s*\n\s*/g, ' '));
    const isPutOff = signal.aborted || err instanceof BusyError;
    deps.jobRuns.end(key, { at: deps.now(), outcome: isPutOff ? 'put_off' : 'failed', detail });
    if (isPutOff) deps.logger.warn({ err }, 'backup put off: the monitor stops, or another run holds the lock');
    else deps.logger.error({ err }, 'backup failed');
  }
}

function decide(deps: BackupJobDeps, backups: readonly KnownBackup[]): ScheduleDecision {
  const now = deps.now();
  return decideDailyRun(deps.time, historyOf(backups, deps.jobRuns.recent(jobName, attemptsLookedAt), latestSlot(deps.time, now)), now);
}

/** What the schedule looks at: a backup counts once it was verified. Pure. */
function historyOf(backups: readonly KnownBackup[], runs: readonly JobRun[], slot: number): RunHistory {
  const failed = runs.filter(({ startedAt, outcome }) => startedAt >= slot && outcome === 'failed').map(({ startedAt }) => startedAt);
  return {
    lastDoneAt: newestVerified(backups),
    failedAttempts: failed.length,
    lastAttemptAt: failed.length > 0 ? Math.max(...failed) : undefined,
  };
}

type Present = Pick<BackupOverview, 'startedAt' | 'isRunning'>;

function describe(deps: BackupJobDeps, backups: readonly KnownBackup[], present: Present): BackupOverview {
  const newestVerifiedAt = newestVerified(backups);
  // While the next attempt runs, the one before has still failed.
  const latest = deps.jobRuns.recent(jobName, attemptsLookedAt).find(({ outcome }) => outcome === 'done' || outcome === 'failed');
  const hasFailed = latest?.outcome === 'failed' && latest.startedAt > (newestVerifiedAt ?? 0);
  return {
    ...present,
    backups,
    newestVerifiedAt,
    lastFailure: hasFailed ? latest.detail : undefined,
    watchedSince: deps.jobRuns.firstStartedAt(jobName) ?? deps.now(),
    decision: decide(deps, backups),
  };
}

function newestVerified(backups: readonly KnownBackup[]): number | undefined {
  const times = backups.filter(({ state }) => state === 'verified').map(({ takenAt }) => Date.parse(takenAt));
  return times.length > 0 ? Math.max(...times) : undefined;
}
