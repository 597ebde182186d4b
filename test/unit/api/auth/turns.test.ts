import { expect, test } from 'vitest';
import { createTurns } from '#api/auth/turns.ts';

/** Until what has just been settled has been seen by all. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Tasks that end when the test says so, under a clock that the test moves. */
function setUp(options: { readonly concurrency: number; readonly maxWaitMs?: number; readonly firstGuessMs?: number }) {
  const clock = { now: 0 };
  const ends: (() => void)[] = [];
  const run = createTurns({ maxWaitMs: 1_000, firstGuessMs: 100, ...options, now: () => clock.now });
  const started: string[] = [];
  const begin = (name: string, signal?: AbortSignal): Promise<string> =>
    run(() => {
      started.push(name);
      return new Promise<string>((resolve) => ends.push(() => resolve(name)));
    }, signal);
  const endNext = (): Promise<void> => (ends.shift()?.(), settle());
  return { clock, begin, started, endNext };
}

test('no more run at the same time than may, and the others follow in the order in which they came', async () => {
  const { begin, started, endNext } = setUp({ concurrency: 2 });
  const all = Promise.all(['a', 'b', 'c', 'd'].map((name) => begin(name)));
  expect(started).toEqual(['a', 'b']);
  await endNext();
  expect(started).toEqual(['a', 'b', 'c']);
  for (let index = 0; index < 3; index += 1) await endNext();
  expect(await all).toEqual(['a', 'b', 'c', 'd']);
});

test('who would wait longer than allowed is refused at once, with the time to come again', async () => {
  const { begin } = setUp({ concurrency: 2, maxWaitMs: 1_000, firstGuessMs: 400 });
  for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g']) void begin(name);
  await expect(begin('h')).rejects.toMatchObject({ code: 'overloaded', headers: { 'Retry-After': '2' } });
});

test('the wait is foretold from how long tasks have lasted', async () => {
  const { clock, begin, endNext } = setUp({ concurrency: 1, maxWaitMs: 1_000, firstGuessMs: 100 });
  for (let index = 0; index < 20; index += 1) {
    void begin(`slow ${index}`);
    clock.now += 900;
    await endNext();
  }
  void begin('runs');
  void begin('waits');
  await expect(begin('would wait for two')).rejects.toMatchObject({ code: 'overloaded' });
});

test('who has waited too long after all is refused when the turn comes, and the next one runs', async () => {
  const { clock, begin, started, endNext } = setUp({ concurrency: 1 });
  void begin('a');
  const late = begin('b');
  clock.now = 900;
  void begin('c');
  clock.now = 1_001;
  await Promise.all([expect(late).rejects.toMatchObject({ code: 'overloaded' }), endNext()]);
  expect(started).toEqual(['a', 'c']);
});

test('whoever has left while waiting is not run, frees its place in the queue, and its promise tells why', async () => {
  const { begin, started, endNext } = setUp({ concurrency: 1, maxWaitMs: 1_000, firstGuessMs: 500 });
  const leaving = new AbortController();
  void begin('a');
  const [left, alsoLeft] = [begin('b', leaving.signal), begin('c', leaving.signal)];
  await expect(begin('d')).rejects.toMatchObject({ code: 'overloaded' });
  leaving.abort(new Error('gone'));
  await expect(left).rejects.toThrow('gone');
  await expect(alsoLeft).rejects.toThrow('gone');
  void begin('e');
  await endNext();
  expect(started).toEqual(['a', 'e']);
});

test('a task that fails gives its place on', async () => {
  const run = createTurns({ concurrency: 1, maxWaitMs: 1_000, firstGuessMs: 1 });
  const failed = run(() => Promise.reject(new Error('failed')));
  const next = run(() => Promise.resolve('next'));
  await expect(failed).rejects.toThrow('failed');
  expect(await next).toBe('next');
});
