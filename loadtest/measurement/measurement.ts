/**
 * The file everything meets in: the generator writes it, judges read it, reports show it. Plain JSON, so that a verdict
 * can be recomputed from it alone. Histograms are HdrHistogram text of microseconds (see histogram).
 */
export type Measurement = {
  readonly version: 1;
  readonly plan: string;
  readonly startedAt: string;
  readonly target: TargetFacts;
  readonly profile: Profile;
  readonly slices: readonly Slice[];
  /** Requests that were neither answered nor given up when the books were closed. */
  readonly inFlightAtEnd: number;
  /** Where the server spent its time, from the Server-Timing headers of the measured window. */
  readonly serverTimings: readonly TimingBand[];
  /** Client latency minus the server's own total, one value a response that carried Server-Timing. */
  readonly outsideServer: string;
  readonly orders: OrderAccount;
  readonly failures: readonly FailureKind[];
  readonly client: ClientFacts;
  readonly samples: readonly ServerSample[];
  readonly books: ServerBooks;
};

export type TargetFacts = {
  /** Origin, such as http://127.0.0.1:8000. */
  readonly origin: string;
  /** `own`: a throw-away stack on this machine, started for the run. */
  readonly kind: 'own' | 'given';
  /** From the admin listener's /config; null when it could not be read. */
  readonly effective: Readonly<Record<string, unknown>> | null;
};

export type Profile = {
  readonly users: number;
  /** Least and most pause between a user's requests; 0–0 sends the next at once. */
  readonly thinkMs: readonly [number, number];
  /** Not judged for latency: connections open, caches and compilers warm up. */
  readonly warmUpMs: number;
  readonly durationMs: number;
  readonly timeoutMs: number;
  readonly processes: number;
  readonly seed: number;
  readonly mix: readonly string[];
};

/** The endpoint name of requests that run into a slow query mixed in on purpose. */
export const slowEndpoint = 'POST /orders (slow query)';

export const isSaturating = (profile: Profile): boolean => profile.thinkMs[1] === 0;

/** One endpoint in one second of the run, counted from its start; warm-up first. */
export type Slice = {
  readonly second: number;
  readonly endpoint: string;
  readonly sent: number;
} & Outcomes & {
    /** Latency of right answers and honest refusals; a timeout counts as the timeout, though it would have lasted longer. */
    readonly latency: string;
  };

export type Outcomes = {
  readonly ok: number;
  /** Right to say no, such as 409 for stock that ran out. */
  readonly refused: number;
  /** 429. */
  readonly limited: number;
  readonly httpErrors: number;
  /** A success status with the wrong content. */
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

export type OrderAccount = {
  /** Distinct orders the shop said yes to. */
  readonly acknowledged: number;
  /** Keys whose order was refused for good. */
  readonly refused: number;
  /** Keys of which the buyer does not know whether the order exists. */
  readonly unknown: number;
  /** One key answered with two different orders. */
  readonly keysWithTwoOrders: number;
  /** One order given as the answer to two keys. */
  readonly ordersWithTwoKeys: number;
  /** Beyond what is kept in memory. */
  readonly unchecked: number;
};

/** Answers that went wrong in the same way. */
export type FailureKind = {
  readonly endpoint: string;
  readonly outcome: string;
  readonly status: number | null;
  /** The problem's code, else the beginning of what was received, secrets hidden. */
  readonly detail: string;
  readonly count: number;
  /** Of the first of them. */
  readonly firstSecond: number;
  readonly requestId: string | null;
};

export type ClientFacts = {
  readonly processes: readonly ProcessVitals[];
  /** Actual minus intended time of sending; empty without think time, where there is no intention but "at once". */
  readonly sendLag: string;
  /** What the same client measures against a server that does nothing; null when it was not calibrated. */
  readonly calibration: Calibration | null;
  /** Generator processes that ended early or stopped reporting, each with how. */
  readonly lost: readonly string[];
  /** Share of the machine's CPU, 0–1, in use while the run was not: other programs'. */
  readonly othersBusy: { readonly before: number; readonly after: number };
  /** True when the target runs on the generator's own machine. */
  readonly coLocated: boolean;
  readonly cores: number;
};

export type ProcessVitals = {
  /** One entry a second of the measured window. */
  readonly seconds: readonly { readonly second: number; readonly utilization: number; readonly cpu: number; readonly maxDelayMs: number }[];
  /** Delay of the event loop, weighted by time. */
  readonly loopDelay: string;
};

export type Calibration = { readonly p99Ms: number | null; readonly requestsPerSecond: number };

/** What the server said of itself in one second; null where it could not be asked. */
export type ServerSample = {
  readonly second: number;
  readonly pool: { readonly inUse: number; readonly capacity: number; readonly waiting: number | null } | null;
  readonly backends: {
    readonly active: number;
    readonly idleInTransaction: number;
    readonly waitingForLock: number;
    readonly total: number;
  } | null;
};

/** The shop's own books, read when all is quiet again; null where there was no access. */
export type ServerBooks = {
  /** Orders the shop has for the run's buyers. */
  readonly ordersStored: number | null;
  /** Products whose stock is not the sum of its movements. */
  readonly ledgerMismatches: number | null;
  readonly negativeStock: number | null;
  /** Connections the pools still had checked out, 10 s after the last request. */
  readonly connectionsInUse: number | null;
  readonly openTransactions: number | null;
  /** Requests the API counted between the first and the last of the run; null where others may use it too. */
  readonly requestsServed: number | null;
  /** Why something above is null, for people. */
  readonly notes: readonly string[];
};
