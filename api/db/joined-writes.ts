import { AsyncLocalStorage } from 'node:async_hooks';
import type { PoolClient, QueryResultRow } from 'pg';
import { ClientGoneError } from '../errors.ts';
import type { IsAwaited, SharedReadsOptions } from './shared-reads.ts';
import type { Statement } from './statement.ts';

/**
 * Writes of one kind that wait for a connection go as one statement, so that they share its round trip and its commit. The first of
 * them asks for a connection as it would alone, and who comes until it has one goes with it: nobody waits for another's sake.
 * A statement for many decides nothing and waits for nobody's locks. Where it leaves one out, or fails, those writes are done each by itself.
 */
export type JoinedWrites = <T>(write: JoinedWrite<T>, isAwaited?: IsAwaited) => Promise<T | undefined>;

/** A write that is done alone, or as one of many. Undefined where it did nothing. */
export type JoinedWrite<T> = {
  /** Has for each of the values an array, whose nth elements belong together, and shows that n, from 1, of what it did. */
  readonly many: Statement;
  readonly values: readonly unknown[];
  readonly show: (row: QueryResultRow) => T;
  /** Whether the statement for many stands between BEGIN and COMMIT; else it is a transaction by itself. */
  readonly isInTransaction: boolean;
  /** Gives the connection back. */
  readonly alone: (client: PoolClient) => Promise<T | undefined>;
};

export type JoinedWritesDeps = Required<SharedReadsOptions> & {
  /** @throws {ClientGoneError} when nobody waits any more */
  readonly connect: (isAwaited: IsAwaited) => Promise<PoolClient>;
  /** Gives its rows, and the connection back. Where it throws, nothing was done, unless nobody knows. */
  readonly carryOut: (
    client: PoolClient,
    write: Pick<JoinedWrite<unknown>, 'many' | 'isInTransaction'>,
    values: readonly unknown[],
  ) => Promise<readonly QueryResultRow[]>;
  /** Whether nobody knows, by what `carryOut` threw. */
  readonly isUnknown: (err: unknown) => boolean;
};

/** More begin a statement of their own, so that little is done again where one fails. */
export const maxTogether = 16;

type Waiter = {
  readonly write: JoinedWrite<unknown>;
  readonly isAwaited: IsAwaited;
  readonly resolve: (shown: unknown) => void;
  readonly reject: (reason: unknown) => void;
  readonly noteTimes: ReturnType<JoinedWritesDeps['timesOf']>;
  readonly askedAtMs: number;
};

export function createJoinedWrites({ connect, carryOut, isUnknown, timesOf }: JoinedWritesDeps): JoinedWrites {
  /** By the name of their statement, those who wait for a connection and may be joined. */
  const gathering = new Map<string, Waiter[]>();
  /** What is done for many runs in the context of none of them. */
  const outside = AsyncLocalStorage.snapshot();

  const carry = async (name: string, waiters: Waiter[]): Promise<void> => {
    try {
      const client = await connect(() => waiters.some(({ isAwaited }) => isAwaited()));
      if (gathering.get(name) === waiters) gathering.delete(name);
      await writeAll(client, waiters);
    } catch (err) {
      if (gathering.get(name) === waiters) gathering.delete(name);
      for (const { reject } of waiters) reject(err);
    }
  };

  const writeAll = async (client: PoolClient, waiters: readonly Waiter[]): Promise<void> => {
    const sentAtMs = performance.now();
    const staying = waiters.filter(({ isAwaited }) => isAwaited());
    for (const waiter of waiters) if (!staying.includes(waiter)) waiter.reject(new ClientGoneError());
    const [first] = staying;
    if (!first) return client.release();
    if (staying.length === 1) first.resolve(await first.write.alone(client));
    else await writeTogether(client, first.write, staying);
    for (const { noteTimes, askedAtMs } of staying) noteTimes?.(sentAtMs - askedAtMs, performance.now() - sentAtMs);
  };

  const writeTogether = async (client: PoolClient, first: JoinedWrite<unknown>, waiters: readonly Waiter[]): Promise<void> => {
    let byNumber: ReadonlyMap<number, QueryResultRow> = new Map();
    try {
      const rows = await carryOut(client, first, arraysOf(waiters));
      byNumber = new Map(rows.map((row) => [Number(row['n']), row]));
    } catch (err) {
      // Then all are told, by whoever asked for the connection.
      if (isUnknown(err)) throw err;
    }
    for (const [index, { write, resolve }] of waiters.entries()) {
      const row = byNumber.get(index + 1);
      resolve(row && write.show(row));
    }
  };

  return <T>(write: JoinedWrite<T>, isAwaited: IsAwaited = () => true) =>
    new Promise<T | undefined>((resolve, reject) => {
      const { name } = write.many;
      const waiter = { write, isAwaited, resolve, reject, noteTimes: timesOf(), askedAtMs: performance.now() } as Waiter;
      const waiting = gathering.get(name);
      if (waiting && waiting.length < maxTogether) {
        waiting.push(waiter);
        return;
      }
      const waiters = [waiter];
      gathering.set(name, waiters);
      outside(() => void carry(name, waiters));
    });
}

const arraysOf = (waiters: readonly Waiter[]): unknown[][] =>
  (waiters[0]?.write.values ?? []).map((_, index) => waiters.map(({ write }) => write.values[index]));
