/** How the pools of the tested API are set. */
export type Settings = {
  readonly workers: number;
  /** Of each worker: connections kept, and opened beyond. */
  readonly size: number;
  readonly overflow: number;
  readonly timeoutMs: number;
  /** 0: connections are kept for ever. */
  readonly recycleMs: number;
  /** How long a connection beyond the size may rest. */
  readonly idleMs: number;
};

/** Connections that all workers together may have. */
export const mostOf = ({ workers, size, overflow }: Settings): number => workers * (size + overflow);

/**
 * `quick` reads one thing; `order` is a transaction, which waits while the shelves are locked; `slow` holds its connection for a
 * second; `missing` and `invalid` are refused; `failing` is a transaction that is rolled back; of `broken` a statement fails as the
 * service cannot foresee; `route` is whatever else the service offers, one after the other, as often refused as not; of `abandoned`, a
 * slow one, and `hasty`, an order, the client leaves.
 */
export type Kind = 'quick' | 'list' | 'order' | 'slow' | 'missing' | 'invalid' | 'failing' | 'broken' | 'route' | 'abandoned' | 'hasty';

/** What became of a request. */
export type Answered = {
  /** Null: no complete answer before the client gave up. */
  readonly status: number | null;
  readonly retryAfter: string | undefined;
  /** As the server tells: waiting for a connection, and at work in the database. Null where it does not. */
  readonly waitMs: number | null;
  readonly holdMs: number | null;
};

export type Exchange = Answered & { readonly stage: string; readonly kind: Kind; readonly sentMs: number; readonly endedMs: number };

/** A session of the API, as the database sees it. */
export type Session = { readonly pid: number; readonly ageMs: number; readonly state: 'active' | 'idle' | 'idle in transaction' };

/** What the health check of one process answers. */
export type Health = {
  readonly status: number;
  /** Connections its pool may open, and those that are lent out; null where it does not tell. */
  readonly capacity: number | null;
  readonly lent: number | null;
};

/** The pools and the database at one moment; null where it could not be read. */
export type Look = {
  readonly inUse: number | null;
  readonly waiting: number | null;
  /** Connections that all pools together say they may open. */
  readonly capacity: number | null;
  readonly sessions: readonly Session[] | null;
  /** Sessions that the database has begun so far, the API's and others. */
  readonly opened: number | null;
  /** The last answer there was. */
  readonly health: Health | null;
  /** CPU time of this machine so far, in any unit. */
  readonly cpu: { readonly all: number; readonly idle: number } | null;
};

export type Reading = Look & {
  readonly stage: string;
  readonly atMs: number;
  /** By how much the client itself was too late to look. */
  readonly lateMs: number;
};

/** Everything that was seen; a verdict follows from it alone. */
export type Recording = {
  readonly settings: Settings;
  readonly exchanges: readonly Exchange[];
  readonly readings: readonly Reading[];
  /** When each stage began and ended. */
  readonly stages: Readonly<Record<string, { readonly fromMs: number; readonly toMs: number }>>;
  /** Sessions that were terminated on purpose, and when; null when that was not possible. */
  readonly loss: { readonly atMs: number; readonly sessions: number } | null;
};
