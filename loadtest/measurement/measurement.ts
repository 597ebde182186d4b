/**
 * The words that generators write, judges read and reports show: plain JSON, so that a verdict can be made again from the
 * file alone (see `measurement-file`). Histograms are HdrHistogram text of microseconds (see `histogram`). It is long because it is
 * one vocabulary: whoever writes, judges or shows a run finds every word of it here.
 */
import type { Witness } from './witness.ts';

/** How much is asked of the target at once. */
export type Load =
  /** So many users, each with one request under way or thinking. */
  | ({ readonly kind: 'closed' } & People)
  /** So many users, each sending its next request the moment the last is answered: as much as the target can take. */
  | { readonly kind: 'saturating'; readonly users: number }
  | OpenLoad;

/**
 * Requests that arrive whether or not earlier ones are answered, as those of people who know nothing of each other do; each is
 * sent by whoever of so many users is free. `poisson`: at random, as people come; `even`: as a metronome.
 */
export type OpenLoad = {
  readonly kind: 'open';
  readonly users: number;
  readonly spacing: 'poisson' | 'even';
  /** One after the other, from the end of the warm-up on, over the whole duration. */
  readonly stages: readonly RateStage[];
};

/** Requests a second over a stretch of time: a rate that is held, or a ramp from one to another. */
export type RateStage = { readonly fromPerSecond: number; readonly toPerSecond: number; readonly durationMs: number };

/** A stretch of a run under one load. */
export type Phase = {
  readonly name: string;
  readonly load: Load;
  /** Which of the scenario's scripts the users follow. */
  readonly script: string;
  /** Not judged for latency: connections open, caches and compilers warm up. */
  readonly warmUpMs: number;
  readonly durationMs: number;
  /** A request without a complete answer after that long has failed. */
  readonly timeoutMs: number;
  /** Generator processes the users are spread over. */
  readonly processes: number;
};

/** What must hold of speed and errors. Wrong content is in no budget. */
export type Budget = {
  /** Limits of latency over all answers after warm-up; exclusive. */
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** Share of requests, 0–1, that may end without the right answer. */
  readonly errorRate: number;
  /** Of single endpoints, where theirs are others; `longestMs`: of every answer. */
  readonly endpoints?: Readonly<Record<string, EndpointBudget>>;
  /** So many of all requests, 0–1, are answered rightly within that time. */
  readonly slo?: { readonly share: number; readonly withinMs: number };
  /** Of a search for the capacity, above 1: the lowest rate missed is at most this many times the highest kept. */
  readonly precision?: number;
};

export type EndpointBudget = Partial<Pick<Budget, 'p95Ms' | 'p99Ms' | 'errorRate'>> & { readonly longestMs?: number };

export type Measurement = MeasurementHead & {
  /** Null when the run was ended before. */
  readonly setUp: SetUpFacts | null;
  /** Endpoints that are slow on purpose: what they do to others is judged, not their own latency. */
  readonly disturbed: readonly string[];
  /** Those that were played, in order. */
  readonly phases: readonly PlayedPhase[];
  readonly slices: readonly Slice[];
  readonly samples: readonly ServerSample[];
  readonly machine: readonly MachineSample[];
  /** What the scenario's users wrote down, in their scenario's own words. */
  readonly events: readonly unknown[];
  readonly client: ClientFacts;
  /** The target when all was quiet again; null when the run did not come so far. */
  readonly rest: TargetAtRest | null;
  /** The target's books as the scenario read them, in the scenario's own words; null when the run did not come so far. */
  readonly books: unknown;
  /** What the run leaves behind in the target, one phrase each; null when the run did not come so far. */
  readonly left: readonly string[] | null;
};

/** What is known before the first request. */
export type MeasurementHead = {
  readonly version: 2;
  readonly plan: string;
  readonly scenario: string;
  readonly runId: string;
  readonly startedAt: string;
  readonly target: TargetFacts;
  readonly seed: number;
  /** Disturbances mixed in on purpose, by their names. */
  readonly mix: readonly string[];
  readonly budget: Budget;
  /** Whom the target must suffice for, where the load does not say it. */
  readonly people?: People;
};

/** So many, each pausing between the least and the most before the next request. */
export type People = { readonly users: number; readonly thinkMs: readonly [number, number] };

/** How the target was made ready. */
export type SetUpFacts = {
  /** Those sent again are counted again. */
  readonly requests: number;
  /** That got an error or no answer, and were sent again where there was hope. */
  readonly failed: number;
  readonly witnesses: readonly Witness[];
  /** Why it could not be made ready, and whether it answered at all; null when it was. */
  readonly problem: { readonly says: string; readonly isAnswered: boolean } | null;
  /** Endpoints that are slow on purpose from then on. */
  readonly disturbed: readonly string[];
};

export type TargetFacts = {
  /** Origin, such as http://127.0.0.1:8000. */
  readonly origin: string;
  /** `own`: a throw-away stack on this machine, started for the run. */
  readonly kind: 'own' | 'given';
  /** From the admin listener's /config; null when it could not be read. */
  readonly effective: Readonly<Record<string, unknown>> | null;
  /** The numbers it was started with, by their variables; absent where that is not known. */
  readonly asked?: Readonly<Record<string, string>>;
  /** `max_connections` as its database has it; absent where that could not be read. */
  readonly maxConnections?: number;
};

/** A phase and what its generator processes handed over at its end. */
export type PlayedPhase = Phase & {
  /** Seconds of the run before it. */
  readonly startSecond: number;
  /** Requests that were neither answered nor given up when it was over. */
  readonly inFlightAtEnd: number;
  /** Where the server spent its time, from the Server-Timing headers of the measured window. */
  readonly serverTimings: readonly TimingBand[];
  /** Client latency minus the server's own total, one value a response that carried Server-Timing. */
  readonly outsideServer: string;
  /** Of an open load: what its schedule asked for. */
  readonly arrivals?: Arrivals;
  readonly failures: readonly FailureKind[];
  /** The slowest answers of each endpoint. */
  readonly slowest: readonly Witness[];
  /** Actual minus intended time of sending; empty without think time, where there is no intention but "at once". */
  readonly sendLag: string;
  readonly processVitals: readonly ProcessVitals[];
  /** Generator processes that ended early or stopped reporting, each with how. */
  readonly lost: readonly string[];
};

/** Requests that were due by a schedule, and how many of them were never sent, by the second of the run. */
export type Arrivals = { readonly due: number; readonly dropped: readonly (readonly [second: number, count: number])[] };

/** One endpoint in one second of the run, counted from its start; warm-up first. */
export type Slice = {
  readonly second: number;
  readonly endpoint: string;
  readonly sent: number;
} & Outcomes & {
    /** Latency of right answers and honest refusals; a timeout counts as the timeout, though it would have lasted longer. */
    readonly latency: string;
    /** The same from their sending alone; of an open load, where `latency` counts from the moment a schedule meant. */
    readonly service?: string;
  };

export type Outcomes = {
  readonly ok: number;
  /** Right to say no, such as 409 for stock that ran out. */
  readonly refused: number;
  /** 429. */
  readonly limited: number;
  readonly httpErrors: number;
  /** A success status with the wrong content, or an answer that breaks HTTP. */
  readonly wrongAnswers: number;
  readonly timeouts: number;
  readonly connectionErrors: number;
};

export const timingParts = ['queue', 'pool', 'db', 'app'] as const;
export type TimingPart = (typeof timingParts)[number];

/** Sums over the responses of one endpoint whose latency lay in [2^band, 2^(band+1)) ms. */
export type TimingBand = {
  readonly endpoint: string;
  readonly band: number;
  readonly count: number;
  readonly latencySumMs: number;
  readonly sumMs: Readonly<Record<TimingPart, number>>;
  /** Responses for which the server claims more time than passed between request and answer. */
  readonly impossible: number;
};

/** Answers that went wrong in the same way. */
export type FailureKind = {
  readonly endpoint: string;
  readonly outcome: Outcome;
  readonly status: number | null;
  /** What is wrong, in words that are the same for all of the kind. */
  readonly fault: string;
  readonly count: number;
  /** The first of them. */
  readonly witnesses: readonly Witness[];
};

/** How a request ended. */
export type Outcome = 'ok' | 'refused' | 'limited' | 'http-error' | 'wrong-answer' | 'timeout' | 'connection-error';

export type ClientFacts = {
  /** What the same client measures against a server that does nothing; null when it was not calibrated. */
  readonly calibration: Calibration | null;
  /** True when the target runs on the generator's own machine. */
  readonly coLocated: boolean;
  readonly cores: number;
};

export type ProcessVitals = {
  /** One entry a second of the measured window. */
  readonly seconds: readonly {
    readonly second: number;
    readonly utilization: number;
    readonly cpu: number;
    readonly maxDelayMs: number;
    readonly residentBytes?: number;
  }[];
  /** Delay of the event loop, weighted by time. */
  readonly loopDelay: string;
};

export type Calibration = { readonly p99Ms: number | null; readonly requestsPerSecond: number };

/** How this machine was in one second of the run. */
export type MachineSample = {
  readonly second: number;
  /**
   * Shares of the machine's CPU, 0–1: in use at all (what a hypervisor gave to others counts as in use), by the load test,
   * by the target (null when its processes are not known; then they count as others), and by all others. Null without /proc.
   */
  readonly cpu: { readonly busy: number; readonly own: number; readonly target: number | null; readonly others: number } | null;
  /** The longest that a server which does nothing took to answer this client. */
  readonly idleAnswerMs: number;
};

/**
 * What the server said of itself in one second, looked at ten times: means, and what was most at any look. Null where it could
 * not be asked.
 */
export type ServerSample = {
  readonly second: number;
  /** How often it was looked at. */
  readonly looks?: number;
  readonly pool: {
    readonly inUse: number;
    readonly capacity: number;
    readonly waiting: number | null;
    readonly most?: { readonly inUse: number; readonly waiting: number };
  } | null;
  readonly backends: {
    readonly active: number;
    readonly idleInTransaction: number;
    readonly waitingForLock: number;
    /** Most at any look. */
    readonly total: number;
  } | null;
  /** Its worker processes; empty where they could not be asked. */
  readonly workers: readonly WorkerSample[];
};

export type WorkerSample = {
  readonly worker: string;
  readonly residentBytes: number;
  /** p99 lateness of its event loop in the second before. */
  readonly loopDelayMs: number;
  /** Checked out of its pool. */
  readonly connectionsInUse: number;
  /** Of one core, 0–1; more when other threads work too. Absent where only one look was had. */
  readonly cpu?: number;
};

/** What the target still held when all should have been quiet; null where there was no access. */
export type TargetAtRest = {
  /** Connections the pools still had checked out, 10 s after the last request. */
  readonly connectionsInUse: number | null;
  readonly openTransactions: number | null;
  /** Workers whose pools these connections belong to. */
  readonly holders: readonly { readonly worker: string; readonly inUse: number }[];
  /** Sessions of the database these transactions belong to, each with the statement it ran last. */
  readonly openSessions: readonly { readonly pid: number; readonly idleMs: number; readonly statement: string }[];
  /** Requests the API counted between the first and the last of the run; null where others may use it too. */
  readonly requestsServed: number | null;
  /** Why something above is null, for people. */
  readonly notes: readonly string[];
};
