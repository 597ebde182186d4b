import { getEventListeners } from 'node:events';
import { expect, test } from 'vitest';
import { aborted, orAborted } from '#lib/abort.ts';

test('a signal that fires, or has fired, resolves its promise', async () => {
  const controller = new AbortController();
  const waiting = aborted(controller.signal);
  controller.abort();
  await expect(waiting).resolves.toBeUndefined();
  await expect(aborted(controller.signal)).resolves.toBeUndefined();
});

test('work that ends first gives its outcome, and leaves no listener on the signal', async () => {
  const { signal } = new AbortController();
  await expect(orAborted(Promise.resolve(7), signal)).resolves.toBe(7);
  await expect(orAborted(Promise.reject(new Error('broken')), signal)).rejects.toThrow('broken');
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

test('a signal that fires first ends the wait with its reason; a later failure of the work harms nobody', async () => {
  const controller = new AbortController();
  const { promise, reject } = Promise.withResolvers<number>();
  const waiting = orAborted(promise, controller.signal);
  controller.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
  reject(new Error('too late'));
  await expect(orAborted(promise, controller.signal)).rejects.toThrow('enough');
});
