import type { Alert } from '../alerts/alert.ts';
import type { Verdict } from '../health/health-state.ts';

/** What outlives the process of one target. Streaks do not: a new process confirms for itself. Times: ms of the epoch. */
export type StoredHealth = {
  readonly probe: string;
  readonly verdict: Verdict;
  readonly since: number;
  readonly checkedAt: number;
  readonly latencyMs: number;
  readonly detail: string;
};

/** One outage of one target, from its first failure to its recovery. */
export type Incident = {
  readonly id: string;
  readonly probe: string;
  readonly startedAt: number;
  /** When the failure threshold was reached. */
  readonly detectedAt: number;
  readonly detail: string;
  /** When FIRING was committed to the outbox. */
  readonly firedAt: number | undefined;
  /** The target whose own outage explains this one. */
  readonly suppressedBy: string | undefined;
  readonly endedAt: number | undefined;
};

/** Everything one look at a target changes. Committed whole or not at all. */
export type TickCommit = {
  /** Undefined when no target was looked at. */
  readonly health: StoredHealth | undefined;
  /** Incidents as they are from now on. */
  readonly incidents: readonly Incident[];
  /** One message for each channel is queued per alert. */
  readonly alerts: readonly Alert[];
};

export type OutboxMessage = {
  readonly id: number;
  readonly alert: Alert;
  /** Attempts begun so far. */
  readonly attempts: number;
  /** True when nobody could record how the last attempt ended, as after a crash: it may have arrived. */
  readonly wasCutOff: boolean;
  /** Not before this moment, in ms of the epoch. */
  readonly nextAttemptAt: number;
};

export type ChannelBacklog = {
  readonly channel: string;
  readonly pending: number;
  readonly oldestPendingAt: number | undefined;
  /** Messages given up since the moment asked about. */
  readonly failed: number;
  readonly lastSentAt: number | undefined;
  readonly lastError: string | undefined;
};

/** The queue of messages. A message leaves it only by `markSent` or `markFailed`. */
export type Outbox = {
  /** The oldest message of a channel that still has to go out: a channel is served in order. */
  readonly next: (channel: string) => OutboxMessage | undefined;
  /** Recorded before the send, so that a crash during it is known afterwards. */
  readonly beginAttempt: (id: number) => void;
  readonly markSent: (id: number, at: number) => void;
  readonly markRetry: (id: number, error: string, nextAttemptAt: number) => void;
  /** Trying again cannot help. */
  readonly markFailed: (id: number, error: string, at: number) => void;
  /** Puts failed messages decided since then back in the queue, as after a configuration was mended. @returns how many */
  readonly requeueFailed: (since: number) => number;
  readonly backlog: (channel: string, failedSince: number) => ChannelBacklog;
};

export type JobRun = {
  readonly job: string;
  readonly startedAt: number;
  readonly reason: string;
  readonly endedAt: number | undefined;
  /** Undefined while it runs, and for ever when the process was killed. */
  readonly outcome: 'done' | 'failed' | undefined;
  readonly detail: string;
};

export type JobRuns = {
  /** @returns the key `end` takes */
  readonly begin: (job: string, startedAt: number, reason: string) => number;
  readonly end: (key: number, end: { readonly at: number; readonly outcome: 'done' | 'failed'; readonly detail: string }) => void;
  /** Newest first. */
  readonly recent: (job: string, limit: number) => readonly JobRun[];
  readonly firstStartedAt: (job: string) => number | undefined;
};

/**
 * The monitor's memory, behind one type. Calls are synchronous and short; each throws StoreError when the store cannot
 * answer, having changed nothing.
 */
export type MonitorStore = {
  readonly loadHealth: () => readonly StoredHealth[];
  readonly openIncidents: () => readonly Incident[];
  /** Newest first. */
  readonly recentIncidents: (limit: number) => readonly Incident[];
  readonly commitTick: (tick: TickCommit) => void;
  readonly outbox: Outbox;
  readonly jobRuns: JobRuns;
  /** Forgets what ended before then and has no message under way. */
  readonly expire: (before: number) => void;
  readonly close: () => void;
};
