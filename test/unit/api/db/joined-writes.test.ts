import type { PoolClient } from 'pg';
import { describe, expect, test } from 'vitest';
import { createJoinedWrites } from '#api/db/joined-writes.ts';
import { statement } from '#api/db/statement.ts';
import { ClientGoneError } from '#api/errors.ts';

const many = statement('things-record', 'a statement for many');

/** One connection, which is had once `lend` is called; `answer` is what the statement for many comes to, by its only array. */
function setUp(answer: (names: readonly string[]) => object[], unknown?: Error) {
  const lent = Promise.withResolvers<void>();
  const [sent, released]: [string[][], unknown[]] = [[], []];
  const client = { release: (err?: unknown) => void released.push(err) } as unknown as PoolClient;
  const join = createJoinedWrites({
    connect: () => lent.promise.then(() => client),
    carryOut: async (lentClient, _write, [names]) => {
      lentClient.release();
      sent.push(names as string[]);
      return answer(names as string[]);
    },
    isUnknown: (err) => err === unknown,
    timesOf: () => undefined,
  });
  const write = (name: string, isAwaited?: () => boolean): Promise<string | undefined> =>
    join(
      {
        many,
        values: [name],
        show: (row) => row['shown'] as string,
        isInTransaction: false,
        alone: () => Promise.resolve(`${name} alone`),
      },
      isAwaited,
    );
  return { write, lend: lent.resolve, sent, released };
}

const shown = (names: readonly string[]): object[] => names.map((name, index) => ({ n: `${index + 1}`, shown: `${name} together` }));

describe('writes that wait for the same connection', () => {
  test('go without whoever has left meanwhile, whose thing is not written', async () => {
    const { write, lend, sent, released } = setUp(shown);
    let isThere = true;
    const all = Promise.allSettled([write('a'), write('b', () => isThere), write('c')]);
    isThere = false;
    lend();
    const [a, b, c] = await all;
    expect([a, c]).toMatchObject([{ value: 'a together' }, { value: 'c together' }]);
    expect(b).toMatchObject({ status: 'rejected', reason: expect.any(ClientGoneError) as unknown });
    expect([sent, released]).toEqual([[['a', 'c']], [undefined]]);
  });

  test('are done by none when all have left', async () => {
    const { write, lend, sent, released } = setUp(shown);
    const both = Promise.allSettled([write('a', () => false), write('b', () => false)]);
    lend();
    expect((await both).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect([sent, released]).toEqual([[], [undefined]]);
  });

  test('learn that nobody knows what became of them, and none is done again', async () => {
    const unknown = new Error('nobody knows');
    const { write, lend, sent } = setUp(() => {
      throw unknown;
    }, unknown);
    const both = Promise.allSettled([write('a'), write('b')]);
    lend();
    expect(await both).toEqual([
      { status: 'rejected', reason: unknown },
      { status: 'rejected', reason: unknown },
    ]);
    expect(sent).toEqual([['a', 'b']]);
  });

  test('have done nothing where the server undid their statement, or left one out', async () => {
    const undone = setUp(() => {
      throw new Error('a key was taken');
    });
    const both = Promise.all([undone.write('a'), undone.write('b')]);
    undone.lend();
    expect([await both, undone.released]).toEqual([[undefined, undefined], [undefined]]);
    const left = setUp((names) => shown(names).slice(1));
    const two = Promise.all([left.write('a'), left.write('b')]);
    left.lend();
    expect(await two).toEqual([undefined, 'b together']);
  });
});
