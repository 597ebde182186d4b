import { expect, onTestFinished, test, vi } from 'vitest';
import { createKeyTurns } from '#api/http/key-turns.ts';

const claim = (key: string, principal = 'client:1') => ({ principal, key, fingerprint: 'f' });
const nobodyLeaves = (): AbortSignal => new AbortController().signal;

/** Work that ends when the test says so. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>();
  let isRunning = false;
  return {
    work: async () => {
      isRunning = true;
      await promise;
    },
    open: resolve,
    isRunning: () => isRunning,
  };
}
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('requests with one key run one after the other, others beside them', async () => {
  const inTurn = createKeyTurns();
  const gates = [gate(), gate(), gate(), gate(), gate()] as const;
  const [first, second, otherKey, otherCaller, noKey] = gates;
  const all = [
    inTurn(claim('k'), nobodyLeaves, first.work),
    inTurn(claim('k'), nobodyLeaves, second.work),
    inTurn(claim('other'), nobodyLeaves, otherKey.work),
    inTurn(claim('k', 'client:2'), nobodyLeaves, otherCaller.work),
    inTurn(undefined, nobodyLeaves, noKey.work),
  ];
  await settle();
  expect(gates.map(({ isRunning }) => isRunning())).toEqual([true, false, true, true, true]);
  first.open();
  await settle();
  expect(second.isRunning()).toBe(true);
  for (const { open } of gates) open();
  await Promise.all(all);
});

test('a first that fails lets the next one run', async () => {
  const inTurn = createKeyTurns();
  const failed = inTurn(claim('k'), nobodyLeaves, () => Promise.reject(new Error('failed')));
  const next = inTurn(claim('k'), nobodyLeaves, () => Promise.resolve('next'));
  await expect(failed).rejects.toThrow('failed');
  expect(await next).toBe('next');
});

test('who leaves, or has waited for five seconds, gives up, and whoever is behind it still waits for the first', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const timeout = vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => {
    const controller = new AbortController();
    setTimeout(() => controller.abort(new DOMException('timed out', 'TimeoutError')), ms);
    return controller.signal;
  });
  onTestFinished(() => timeout.mockRestore());
  const inTurn = createKeyTurns();
  const leaving = new AbortController();
  const [first, last] = [gate(), gate()];
  const running = inTurn(claim('k'), nobodyLeaves, first.work);
  const left = inTurn(
    claim('k'),
    () => leaving.signal,
    () => Promise.resolve(),
  );
  const waited = inTurn(claim('k'), nobodyLeaves, () => Promise.resolve());
  const outcomes = Promise.allSettled([left, waited]);
  leaving.abort(new Error('gone'));
  await vi.advanceTimersByTimeAsync(4_000);
  const behind = inTurn(claim('k'), nobodyLeaves, last.work);
  await vi.advanceTimersByTimeAsync(1_001);
  expect(await outcomes).toMatchObject([{ reason: { message: 'gone' } }, { reason: { code: 'idempotency_in_flight' } }]);
  expect(last.isRunning()).toBe(false);
  first.open();
  last.open();
  await Promise.all([running, behind]);
  expect(last.isRunning()).toBe(true);
});
