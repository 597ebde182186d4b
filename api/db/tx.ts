// A transaction from its connection to what became of its COMMIT, and what it is asked through: one idea, so it is long.

import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import createKnexInstance, { type Knex } from 'knex';
import type { Pool, PoolClient, QueryResultRow } from 'pg';
import { failureOf, sqlStateOf, type FailureKind } from '#lib/postgres.ts';
import { ApiError, ClientGoneError } from '../errors.ts';
import { createJoinedWrites, type JoinedWrite } from './joined-writes.ts';
import {
  createSharedReads,
  type EachValues,
  type IdentifiedRow,
  type IsAwaited,
  type SharedReads,
  type SharedReadsOptions,
} from './shared-reads.ts';
import { holdBack, runStatement, type Statement } from './statement.ts';

/** The database to read from: named statements for the busy paths, Objection models (`Model.query(db.knex)`) elsewhere. */
export type Db = SharedReads & { readonly knex: Knex };

/**
 * One transaction, on one connection. What changes anything asks for it: `verb(tx, input)`, and none begins its own.
 * Statements that nobody waits for between them go to the server in one piece, BEGIN with the first of them.
 */
export type Tx = Db & {
  readonly isTransaction: true;
  /**
   * Sends a statement already, for a `query` of the same statement and values that may follow: the two then need one round
   * trip. Only for what changes nothing, a lock for instance: whether it is ever asked for is not known yet.
   */
  readonly foresee: (asked: Asked) => Promise<unknown>;
  /** Leaves a statement to the end: it goes to the server with COMMIT, and the transaction fails when it does. */
  readonly atEnd: (asked: Asked) => void;
};

/** A statement with its values. */
export type Asked<Row extends QueryResultRow = QueryResultRow> = {
  readonly statement: Statement<Row>;
  readonly values: readonly unknown[];
};

/** A write in one statement that is a transaction by itself. */
export type AtOnce<Row extends QueryResultRow = QueryResultRow> = Asked<Row> & {
  /** Does the same for many at once, as `JoinedWrite` has it; undefined: each is done by itself. */
  readonly many?: Statement<Row & { readonly n: string }>;
};

export type Database = {
  /** Each statement by itself, on whichever connection is free. */
  readonly read: Db;
  /** The same for a caller who may leave: what nobody waits for any more is not asked, and rejects with ClientGoneError. */
  readonly readFor: (isAwaited: IsAwaited) => Db;
  /**
   * Runs `work` in a READ COMMITTED transaction: its effects are there once this resolves, and none of them when it
   * rejects, except with CommitUnknownError. A conflict with another transaction is tried again, with `work` from its start.
   * @throws {CommitUnknownError}
   * @throws {ClientGoneError} when nobody waited for it any more once it could have begun
   * @throws overloaded when it has waited for a connection for more than five seconds, and too many wait behind it
   */
  readonly transact: <T>(work: (tx: Tx) => Promise<T>, options: TransactOptions<T>) => Promise<T>;
};

export type TransactOptions<T = unknown> = {
  /** Whether `work` notices by itself that it was done before; an unknown commit is then found out by running it again. */
  readonly isOnce: boolean;
  /** Whether somebody still waits for it; by default somebody does. */
  readonly isAwaited?: IsAwaited | undefined;
  /**
   * The same as `work` in one statement, which is a transaction by itself and needs one round trip; tried first. Undefined
   * when it did nothing: `work` is then for it. Whether a broken connection has carried it out is never known.
   */
  readonly atOnce?: ((tx: Pick<Db, 'query'>) => Promise<T | undefined>) | undefined;
  /** How that one statement, or `work` where there is none, goes together with others of its kind that wait for a connection too. */
  readonly together?: Omit<JoinedWrite<T>, 'alone' | 'isInTransaction'> | undefined;
};

/** The connection broke while COMMIT was under way: the changes are there, all of them, or none. */
export class CommitUnknownError extends Error {
  override readonly name = 'CommitUnknownError';
  /** The server's number of the session, where it may still be at work. */
  readonly session: number | undefined;

  constructor(message: string, options?: ErrorOptions, session?: number) {
    super(message, options);
    this.session = session;
  }
}

const maxAttempts = 4;
/** Failures that show that the database was there and carried out what it was told. */
const ofTheStatement: ReadonlySet<FailureKind> = new Set(['constraint', 'bad-value']);

export function createDatabase(pool: Pool, options: SharedReadsOptions = {}): Database {
  const read = { ...createSharedReads(pool, options), knex: createKnex(pool) };
  const join = createJoinedWrites({
    timesOf: () => undefined,
    ...options,
    connect: (isAwaited) => connectInTime(pool, isAwaited),
    carryOut: (client, { many, isInTransaction }, values) => {
      const ask = (tx: Pick<Db, 'query'>): Promise<QueryResultRow[]> => tx.query(many, values);
      return isInTransaction ? transactOn(client, ask) : carryOutAtOnce(client, ask);
    },
    isUnknown: (err) => err instanceof CommitUnknownError,
  });
  const tryFirst = async <T>(work: (tx: Tx) => Promise<T>, how: TransactOptions<T>): Promise<T | undefined> => {
    const { atOnce, together, isAwaited } = how;
    if (together) {
      // In the context of whoever asked, as where nothing is joined.
      const alone = AsyncLocalStorage.bind((client: PoolClient) => (atOnce ? carryOutAtOnce(client, atOnce) : transactOn(client, work)));
      return join({ ...together, alone, isInTransaction: !atOnce }, isAwaited);
    }
    return atOnce && carryOutAtOnce(await connectInTime(pool, isAwaited), atOnce);
  };
  return {
    read,
    readFor: (isAwaited) => new CallerReads(read, isAwaited),
    transact: async (work, how) => {
      const { isOnce, isAwaited } = how;
      let unknown: CommitUnknownError | undefined;
      for (let attempt = 1; ; attempt += 1) {
        try {
          const done = attempt === 1 ? await tryFirst(work, how) : undefined;
          return done ?? (await transactOn(await connectInTime(pool, isAwaited), work, unknown));
        } catch (err) {
          if (err instanceof CommitUnknownError) unknown = err;
          const kind = failureOf(err)?.kind;
          // After an unknown commit a database that fails tells nothing of it; whatever `work` itself throws does.
          const isOpen =
            unknown !== undefined && (err === unknown || tellsNothing(err) || (kind !== undefined && !ofTheStatement.has(kind)));
          if (isOpen ? !isOnce : kind !== 'conflict') throw err;
          if (attempt === maxAttempts) throw unknown ?? err;
        }
        await sleep(20 * 2 ** attempt * (0.5 + Math.random() / 2));
      }
    },
  };
}

/** A class, for the sake of memory: see `Input` in api/http/read-request. */
class CallerReads implements Db {
  readonly knex: Knex;
  readonly #all: SharedReads;
  readonly #isAwaited: IsAwaited;

  constructor(all: Db, isAwaited: IsAwaited) {
    this.knex = all.knex;
    this.#all = all;
    this.#isAwaited = isAwaited;
  }

  query<Row extends QueryResultRow>(statement: Statement<Row>, values: readonly unknown[] = []): Promise<Row[]> {
    return this.#all.query(statement, values, this.#isAwaited);
  }

  byId<Row extends IdentifiedRow>(statement: Statement<Row>, id: number): Promise<Row | undefined> {
    return this.#all.byId(statement, id, this.#isAwaited);
  }

  byEach<Row extends IdentifiedRow>(statement: Statement<Row>, given: EachValues): Promise<Row | undefined> {
    return this.#all.byEach(statement, given, this.#isAwaited);
  }
}

/**
 * It says nothing of the attempt before: this one was not begun, or its client does not exist any more, with whom all was deleted
 * that would tell.
 */
const tellsNothing = (err: unknown): boolean =>
  err instanceof ClientGoneError || (err instanceof ApiError && (err.code === 'overloaded' || err.code === 'not_found'));

/** Of a statement that is a transaction by itself. Gives the connection back. @throws {CommitUnknownError} */
async function carryOutAtOnce<T>(client: PoolClient, atOnce: (tx: Pick<Db, 'query'>) => Promise<T>): Promise<T> {
  let unknown: CommitUnknownError | undefined;
  try {
    return await atOnce(new ClientTx(client, []));
  } catch (err) {
    const failure = asCommitFailure(err, (client as PoolClient & SessionNumber).processID);
    if (failure instanceof CommitUnknownError) unknown = failure;
    throw unknown ?? err;
  } finally {
    client.release(unknown);
  }
}

/** What `pg` does not declare. */
type SessionNumber = { readonly processID?: number | null };

/**
 * A statement goes on without its connection, and one that has not come to its locks could do after a refusal what was refused.
 * Its session is ended, unless it has come so far that whoever looks now waits for it.
 */
const endSession = 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND usename = current_user';

/** Gives the connection back. @param after what an attempt before came to, of which the session may still be at work */
async function transactOn<T>(client: PoolClient, work: (tx: Tx) => Promise<T>, after?: CommitUnknownError): Promise<T> {
  let broken: Error | undefined;
  try {
    const letGo = holdBack(client);
    process.nextTick(letGo);
    const begun = client.query('BEGIN');
    // Whoever asks next hears of it too; it must only not end the process meanwhile.
    begun.catch(() => {});
    if (after?.session !== undefined) await client.query(endSession, [after.session]);
    const rest: Asked[] = [];
    const result = await work(new ClientTx(client, rest));
    await begun;
    await commit(client, rest);
    return result;
  } catch (err) {
    broken = err instanceof CommitUnknownError ? err : await rollBack(client);
    throw err;
  } finally {
    client.release(broken);
  }
}

/** Of those who wait for a connection in a queue that is too long, who has waited for so long gives it to the next. */
const maxWaitMs = 5_000;
/** As many as wait for each connection where all is well. */
const leastWaitingEach = 2;

async function connectInTime(pool: Pool, isAwaited: TransactOptions['isAwaited']): Promise<PoolClient> {
  const askedMs = performance.now();
  const client = await pool.connect();
  const isLate = performance.now() - askedMs > maxWaitMs && pool.waitingCount > leastWaitingEach * pool.options.max;
  if (!isLate && isAwaited?.() !== false) return client;
  client.release();
  throw isLate ? new ApiError('overloaded', 'No database connection became free in time.') : new ClientGoneError();
}

async function commit(client: PoolClient, rest: readonly Asked[]): Promise<void> {
  const letGo = holdBack(client);
  const before = rest.map(({ statement, values }) => runStatement(client, statement, values));
  const commitment = client.query('COMMIT');
  letGo();
  const [committed, ...outcomes] = await Promise.allSettled([commitment, ...before]);
  // What the server says of a statement ahead of COMMIT is certain: it commits nothing after that.
  for (const outcome of outcomes) if (outcome.status === 'rejected' && sqlStateOf(outcome.reason)) throw outcome.reason;
  if (committed.status === 'rejected') throw asCommitFailure(committed.reason);
  // PostgreSQL answers COMMIT with ROLLBACK when a failed statement was swallowed.
  if (committed.value.command !== 'COMMIT') throw new Error('a statement of the transaction had failed; it was rolled back');
}

/** What the server says of COMMIT itself is certain. That it shuts down, or nothing at all, leaves it open. */
function asCommitFailure(err: unknown, session?: number | null): unknown {
  const failure = failureOf(err);
  const isCertain = failure?.sqlState !== undefined && failure.kind !== 'refused-for-now' && failure.kind !== 'unreachable';
  return isCertain ? err : new CommitUnknownError('the connection broke during COMMIT', { cause: err }, session ?? undefined);
}

/** A connection on which even ROLLBACK fails must not go back into the pool. */
async function rollBack(client: PoolClient): Promise<Error | undefined> {
  try {
    await client.query('ROLLBACK');
    return undefined;
  } catch (err) {
    return err instanceof Error ? err : new Error(String(err));
  }
}

/** A class, for the sake of memory: see `Input` in api/http/read-request. */
class ClientTx implements Tx {
  readonly isTransaction = true;
  readonly #client: PoolClient;
  readonly #rest: Asked[];
  readonly #foreseen = new Map<string, Promise<QueryResultRow[]>>();
  #knex: Knex | undefined = undefined;

  constructor(client: PoolClient, rest: Asked[]) {
    this.#client = client;
    this.#rest = rest;
  }

  query<Row extends QueryResultRow>(statement: Statement<Row>, values: readonly unknown[] = []): Promise<Row[]> {
    const ahead = this.#foreseen.size === 0 ? undefined : this.#foreseen.get(nameOf({ statement, values }));
    return (ahead as Promise<Row[]> | undefined) ?? runStatement(this.#client, statement, values);
  }

  async byId<Row extends IdentifiedRow>(statement: Statement<Row>, id: number): Promise<Row | undefined> {
    return (await this.query(statement, [[id]]))[0];
  }

  async byEach<Row extends IdentifiedRow>(statement: Statement<Row>, given: EachValues): Promise<Row | undefined> {
    const values = given.map((one) => [one]);
    return (await this.query(statement, values))[0];
  }

  foresee(asked: Asked): Promise<unknown> {
    const rows = runStatement(this.#client, asked.statement, asked.values);
    rows.catch(() => {});
    this.#foreseen.set(nameOf(asked), rows);
    return rows;
  }

  atEnd(asked: Asked): void {
    this.#rest.push(asked);
  }

  get knex(): Knex {
    // Made only where a model is used: it costs as much as the query it builds.
    return (this.#knex ??= createKnex(poolOf(this.#client)));
  }
}

const nameOf = ({ statement, values }: Asked): string => `${statement.name} ${JSON.stringify(values)}`;

/** Knex, and Objection on it, over the given pool, which stays open: whoever made it ends it. */
export function createKnex(pool: Pick<Pool, 'connect'>): Knex {
  return createKnexInstance({ client: 'pg', version: '15', connectionPool: pool as Pool, log: silent });
}

/** A pool of just this connection, which is never given back: what knex runs on it belongs to the transaction. */
const poolOf = (client: PoolClient): Pick<Pool, 'connect'> => ({
  connect: (() => Promise.resolve({ query: client.query.bind(client), release: () => undefined })) as unknown as Pool['connect'],
});

/** Knex prints failures that it also throws; whoever catches them logs them once. */
const silent: Knex.Logger = { warn: () => {}, error: () => {}, deprecate: () => {}, debug: () => {} };
