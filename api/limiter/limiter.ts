/**
 * Rate limit: an exact sliding window. In any `periodMs` at most `limit` requests of one key are allowed, whichever
 * worker they reach.
 */
export type Quota = {
  /** Who is counted and under which policy; each key has one limit and one period. */
  readonly key: string;
  readonly limit: number;
  readonly periodMs: number;
  /** What another counter had counted; taken over by one that has counted less, so that a change of counters opens no gap. */
  readonly counted?: Counted | undefined;
  /** How whoever keeps a book beside another counter, which decides, is asked; undefined: it decides itself. */
  readonly beside?: Beside | undefined;
};

/**
 * `counted`: the other decides next, so that this one refuses only where the other may know less than the book.
 * `givenBackMs`: the other has refused, or said nothing; what was counted at that time is taken back.
 */
export type Beside = 'counted' | { readonly givenBackMs: number };

export type Counted = {
  readonly count: number;
  /** How long ago the newest of them was; all are taken to be as new. */
  readonly ageMs: number;
};

export type Verdict = {
  readonly allowed: boolean;
  /** Requests the quota still allows now. */
  readonly remaining: number;
  /** Milliseconds until the quota allows a request again, rounded up; 0 when it allows one now. */
  readonly retryAfterMs: number;
  /** Milliseconds until the oldest counted request leaves the window and frees a place, rounded up; 0 when none is counted. */
  readonly resetMs: number;
  /** When it was counted, by the clock of a book beside another counter. */
  readonly countedAtMs?: number | undefined;
};

export type Limiter = {
  /**
   * Counts one request against all quotas, or, when one of them is used up, against none.
   * @returns one verdict for each quota, in order
   * @throws {LimiterUnavailableError} when whatever counts does not answer in time
   */
  readonly take: (quotas: readonly Quota[]) => Promise<readonly Verdict[]>;
};

/** Where requests are counted: in Redis, in the primary process, or, while neither answers as it should, on this machine only. */
export type LimiterStore = 'redis' | 'primary' | 'local';

/** What counts did not answer. Never reaches a client: the fallback limiter counts instead. */
export class LimiterUnavailableError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LimiterUnavailableError';
  }
}
