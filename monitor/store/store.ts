import type { BeatRecord } from '../model/beat.ts';
import type { Alert } from '../model/alert.ts';
import type { Incident, IncidentKind, Note, StoredHealth } from '../model/incident.ts';
import type { LatencyPoint, LatencySketch, LatencyWidth, MinuteOfLatency } from '../model/latency.ts';
import type { Silence, TimelineEntry } from '../model/quiet.ts';
import type { DayTally } from '../model/tally.ts';

/**
 * Where a message to one channel stands. `failed`: refused until its bounds were reached. `merged`: another message told
 * it too.
 */
export type MessageState = 'pending' | 'sent' | 'failed' | 'merged';

/** One alert on its way to one channel. */
export type StoredMessage = {
  readonly channel: string;
  readonly alert: Alert;
  readonly state: MessageState;
  /** Attempts begun so far, and those of them in which the channel refused this very message. */
  readonly attempts: number;
  readonly refusals: number;
  /** Set before each send, and cleared only if it is known that none has arrived: a crash leaves it set. */
  readonly isUncertain: boolean;
  readonly lastError: string | undefined;
  /** When it stopped being pending, in ms of the epoch. */
  readonly settledAt: number | undefined;
};

/** Rows as they are from now on, whatever they were. */
export type StoreChanges = {
  readonly health: readonly StoredHealth[];
  readonly incidents: readonly Incident[];
  readonly messages: readonly StoredMessage[];
  readonly silences?: readonly Silence[];
  /** Only ever added to. */
  readonly timeline?: readonly TimelineEntry[];
  /** Added to what is there of the same target and day. */
  readonly tallies?: readonly DayTally[];
  /** Only ever added to. */
  readonly notes?: readonly Note[];
};

export type JobRun = {
  readonly job: string;
  readonly startedAt: number;
  /** How long the machine had been up then, in ms; undefined where nobody said. */
  readonly machineUpMs?: number | undefined;
  readonly reason: string;
  readonly endedAt: number | undefined;
  /** Undefined while it runs. `put_off`: nothing was tried, and nothing went wrong. */
  readonly outcome: JobOutcome | undefined;
  readonly detail: string;
};

export type JobOutcome = 'done' | 'failed' | 'put_off';

export type JobRuns = {
  /** @returns the key `end` takes */
  readonly begin: (job: string, startedAt: number, reason: string, machineUpMs?: number) => number;
  readonly end: (key: number, end: { readonly at: number; readonly outcome: JobOutcome; readonly detail: string }) => void;
  /** Ends runs that a process before this one left without an end, as failed. @returns how many */
  readonly endCutOff: (job: string, end: { readonly at: number; readonly detail: string }) => number;
  /** Newest first. */
  readonly recent: (job: string, limit: number) => readonly JobRun[];
  readonly firstStartedAt: (job: string) => number | undefined;
};

/** How many answers were good and bad, for objectives. */
export type SloLedger = {
  readonly add: (slo: string, counts: { readonly at: number; readonly good: number; readonly bad: number }) => void;
  /** Of all after `since`, ms of the epoch. */
  readonly sum: (slo: string, since: number) => { readonly good: number; readonly bad: number };
  readonly forget: (before: number) => void;
};

/** How long answers took, by minute, hour and day. */
export type LatencyLedger = {
  /** Adds minutes to what is there of the same minutes, their hours and their days. */
  readonly add: (minutes: readonly MinuteOfLatency[]) => void;
  /**
   * Of all that begin since then, oldest first; where nothing was answered there is none.
   * @param stepMs by what they are added up, a whole multiple of the width; left out: not at all
   */
  readonly points: (probe: string, width: LatencyWidth, since: number, stepMs?: number) => readonly LatencyPoint[];
  /** All of those together. */
  readonly sum: (probe: string, width: LatencyWidth, since: number) => LatencySketch;
  /** Forgets what is older than its width is kept. */
  readonly forget: (now: number) => void;
};

/** What jobs said last of themselves. */
export type BeatLedger = {
  readonly all: () => readonly BeatRecord[];
  readonly write: (record: BeatRecord) => void;
};

/** Which incidents are asked for. */
export type IncidentQuery = {
  readonly probe?: string | undefined;
  readonly kind?: IncidentKind | undefined;
  /** The last incident of the page before; undefined: from the newest on. */
  readonly after?: Pick<Incident, 'startedAt' | 'id'> | undefined;
  /** Those of what is wrong with the monitor itself are left out. */
  readonly isPublic?: boolean;
  readonly limit: number;
};

/** What is on record of one incident besides itself. */
export type IncidentStory = {
  /** In the order in which they were queued. */
  readonly messages: readonly StoredMessage[];
  /** Oldest first. */
  readonly timeline: readonly TimelineEntry[];
  /** Incidents that this one explains while it goes on. */
  readonly explained: readonly Incident[];
};

/** What pages and commands ask about single incidents. Each reads by an index, however long the history. @throws {StoreError} */
export type IncidentRecords = {
  readonly incident: (id: string) => Incident | undefined;
  /** Whether an incident of this id, or a message of one, is on record; false, too, where the store cannot tell. Never throws. */
  readonly isTaken: (id: string) => boolean;
  /** Newest first. */
  readonly incidentPage: (query: IncidentQuery) => readonly Incident[];
  readonly storyOf: (incident: Incident) => IncidentStory;
  /** Of these incidents, oldest first. */
  readonly notesOf: (incidentIds: readonly string[]) => readonly Note[];
};

/**
 * The monitor's lasting memory, in the words of the model. Calls are synchronous and short; each throws StoreError when
 * the store cannot answer, having changed nothing.
 */
export type MonitorStore = IncidentRecords & {
  readonly loadHealth: () => readonly StoredHealth[];
  readonly openIncidents: () => readonly Incident[];
  /** When the last outage of each target that is over ended, in ms of the epoch, by target. */
  readonly lastOutageEnds: () => ReadonlyMap<string, number>;
  /** Newest first. */
  readonly recentIncidents: (limit: number) => readonly Incident[];
  /** Every message that still has to go out, in the order in which they were queued. */
  readonly pendingMessages: () => readonly StoredMessage[];
  /** Messages set aside that were decided since then. */
  readonly failedMessages: (decidedSince: number) => readonly StoredMessage[];
  readonly channelTotals: (channel: string, failedSince: number) => { readonly failed: number; readonly lastSentAt: number | undefined };
  /** Every silence on record, in the order of their numbers. */
  readonly silences: () => readonly Silence[];
  /** Says that a signature is used. @returns false when it was used before, over every restart */
  readonly takeNonce: (nonce: string, at: number) => boolean;
  /** Newest first. */
  readonly recentTimeline: (limit: number) => readonly TimelineEntry[];
  /** Of days since then, oldest first. @param sinceDay days since 1970-01-01 */
  readonly tallies: (sinceDay: number) => readonly DayTally[];
  /** All of it in one transaction, or nothing. */
  readonly write: (changes: StoreChanges) => void;
  readonly jobRuns: JobRuns;
  readonly slo: SloLedger;
  readonly latencies: LatencyLedger;
  readonly beats: BeatLedger;
  /** Forgets what ended before then and has no message under way. */
  readonly expire: (before: number) => void;
  readonly close: () => void;
};
