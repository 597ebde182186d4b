import type { Pool } from 'pg';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { CommitUnknownError, createDatabase, type Tx } from '#api/db/tx.ts';
import { ApiError } from '#api/errors.ts';

function fail(err: Error | undefined): void {
  if (err) throw err;
}

const withCode = (message: string, code: string): Error => Object.assign(new Error(message), { code });
const cut = new Error('Connection terminated unexpectedly');
const conflict = withCode('could not serialize access', '40001');

/** What happens to each attempt in turn: where it fails, and how. The last one goes for all that follow. */
type Attempt = {
  readonly connect?: Error;
  readonly work?: Error;
  /** Of what is left to the end. */
  readonly end?: Error;
  readonly commit?: Error;
  readonly answer?: string;
};

/** Runs a transaction whose attempts go so. */
async function outcomeOf(attempts: readonly Attempt[], isOnce: boolean, isAwaited?: () => boolean) {
  let tries = 0;
  const sent: string[] = [];
  const released: unknown[] = [];
  const current = (): Attempt => attempts[Math.min(tries, attempts.length) - 1] ?? {};
  const client = {
    connection: { stream: { cork: () => {}, uncork: () => {} } },
    query: async (text: string | object) => {
      sent.push(typeof text === 'object' ? 'the rest' : text);
      if (typeof text === 'object') fail(current().end);
      if (text === 'COMMIT') fail(current().commit);
      return { command: text === 'COMMIT' ? (current().answer ?? 'COMMIT') : text };
    },
    release: (broken: unknown) => released.push(broken instanceof Error),
  };
  const pool = {
    connect: async () => {
      tries += 1;
      fail(current().connect);
      return client;
    },
  } as unknown as Pool;
  const work = async (tx: Tx): Promise<string> => {
    fail(current().work);
    tx.atEnd({ statement: { name: 'last', text: '…' }, values: [] });
    return 'done';
  };
  const result = await createDatabase(pool)
    .transact(work, { isOnce, isAwaited })
    .catch((err: unknown) => err);
  return { result, tries, released, sent };
}

describe('a COMMIT whose connection breaks', () => {
  test('leaves it unknown at once, for work that cannot notice that it was done before', async () => {
    const { result, tries, released } = await outcomeOf([{ commit: cut }, {}], false);
    expect(result).toBeInstanceOf(CommitUnknownError);
    expect([tries, released]).toEqual([1, [true]]);
  });

  test.each([
    ['nothing was heard of it', cut],
    ['the server was shutting down', withCode('terminating connection', '57P01')],
    ['no answer came in time', new Error('Query read timeout')],
    ['the reason is not known', new Error('something else')],
  ])('is unknown when %s', async (_reason, commit) => {
    expect((await outcomeOf([{ commit }], false)).result).toBeInstanceOf(CommitUnknownError);
  });

  test.each([
    ['a deferred constraint', withCode('violates', '23503')],
    ['the time limit', withCode('canceling statement', '57014')],
  ])('is certain when the server itself refused it for %s', async (_reason, commit) => {
    expect(await outcomeOf([{ commit }], true)).toMatchObject({ result: commit, tries: 1, released: [false] });
  });

  test('leaves it unknown too when it breaks at what goes with it, but not when the server refuses that', async () => {
    expect((await outcomeOf([{ end: cut, commit: cut }], false)).result).toBeInstanceOf(CommitUnknownError);
    const down = withCode('terminating connection', '57P01');
    expect((await outcomeOf([{ end: down, commit: cut }], false)).result).toBe(down);
    const wrong = withCode('division by zero', '22012');
    expect(await outcomeOf([{ end: wrong, answer: 'ROLLBACK' }], true)).toMatchObject({ result: wrong, tries: 1, released: [false] });
  });

  test('is found out by running again what notices that it was done', async () => {
    expect(await outcomeOf([{ commit: cut }, { connect: cut }, {}], true)).toMatchObject({ result: 'done', tries: 3 });
  });

  test('is settled by a refusal of the work, or of what it says, but by no failure of the database', async () => {
    const refusal = new ApiError('insufficient_stock', 'Too late.');
    const constraint = withCode('duplicate key', '23505');
    for (const work of [refusal, constraint]) expect((await outcomeOf([{ commit: cut }, { work }], true)).result).toBe(work);
    const full = new Error('timeout exceeded when trying to connect');
    for (const connect of [cut, full, withCode('starting up', '57P03'), withCode('no password', '28P01')]) {
      const { result, tries } = await outcomeOf([{ commit: cut }, { connect }], true);
      expect([result instanceof CommitUnknownError, tries]).toEqual([true, 4]);
    }
    expect((await outcomeOf([{ commit: cut }, { work: conflict }], true)).result).toBeInstanceOf(CommitUnknownError);
  });

  test('is not settled by a client that does not exist any more, whose keys went with it', async () => {
    const gone = new ApiError('not_found', 'The client does not exist.');
    const { result, tries } = await outcomeOf([{ commit: cut }, { work: gone }], true);
    expect([result instanceof CommitUnknownError, tries]).toEqual([true, 4]);
    expect((await outcomeOf([{ work: gone }], true)).result).toBe(gone);
  });

  test('is not settled by what says only that it was not begun again', async () => {
    const late = new ApiError('overloaded', 'No database connection became free in time.');
    expect((await outcomeOf([{ commit: cut }, { connect: late }], true)).result).toBeInstanceOf(CommitUnknownError);
    let asked = 0;
    expect((await outcomeOf([{ commit: cut }, {}], true, () => (asked += 1) === 1)).result).toBeInstanceOf(CommitUnknownError);
  });
});

describe('any other failure', () => {
  test('is what it is: a conflict after four attempts, the rest after one', async () => {
    expect(await outcomeOf([{ work: conflict }], false)).toMatchObject({
      result: conflict,
      tries: 4,
      released: [false, false, false, false],
    });
    expect(await outcomeOf([{ work: conflict }, { commit: conflict }, {}], false)).toMatchObject({ result: 'done', tries: 3 });
    for (const attempt of [{ connect: cut }, { work: cut }, { work: new Error('a defect') }]) {
      expect((await outcomeOf([attempt, {}], true)).tries).toBe(1);
    }
  });

  test('that was swallowed makes PostgreSQL roll back, which is not taken for done', async () => {
    expect((await outcomeOf([{ answer: 'ROLLBACK' }], true)).result).toMatchObject({
      message: expect.stringContaining('rolled back') as string,
    });
  });
});

/** Whether a transaction that has waited so long, with so many behind it, is refused and its connection goes to the next. */
async function isRefused(waitedMs: number, waitingCount: number): Promise<boolean> {
  const released: unknown[] = [];
  const connect = async () => {
    vi.advanceTimersByTime(waitedMs);
    return { release: (broken: unknown) => released.push(broken) };
  };
  const pool = { connect, waitingCount, options: { max: 10 } } as unknown as Pool;
  const err: unknown = await createDatabase(pool)
    .transact(async () => {}, { isOnce: false })
    .catch((reason: unknown) => reason);
  return err instanceof ApiError && err.code === 'overloaded' && released.length === 1 && released[0] === undefined;
}

test('who has waited too long for a connection gives it to the next, as long as too many wait', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  expect([await isRefused(5_001, 21), await isRefused(5_001, 20), await isRefused(4_999, 21)]).toEqual([true, false, false]);
});

test('work that nobody waits for any more when its connection comes is not begun, and the connection goes back', async () => {
  expect(await outcomeOf([{}], true, () => false)).toMatchObject({
    result: { name: 'ClientGoneError' },
    tries: 1,
    released: [false],
    sent: [],
  });
  expect(await outcomeOf([{}], true, () => true)).toMatchObject({ result: 'done', sent: ['BEGIN', 'the rest', 'COMMIT'] });
});
