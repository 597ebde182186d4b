import { EventEmitter } from 'node:events';
import * as fc from 'fast-check';
import type { Pool } from 'pg';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Pace, watchLoopWait, watchPoolWait } from '#api/observe/expected-wait.ts';

/** A pool whose connections the test hands out, under a clock that the test moves. */
function setUp() {
  const clock = { now: 0 };
  const pool = Object.assign(new EventEmitter(), { waitingCount: 0 });
  const waitMs = watchPoolWait(pool as unknown as Pool, () => clock.now);
  const handOut = (afterMs: number): void => {
    clock.now += afterMs;
    pool.waitingCount -= 1;
    pool.emit('acquire');
  };
  return { clock, pool, waitMs, handOut };
}

test('who comes waits as long as those ahead of it take at the pace of the last', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 500 }), (everyMs, waiting) => {
      const { pool, waitMs, handOut } = setUp();
      pool.waitingCount = 1_000;
      for (let index = 0; index < 400; index += 1) handOut(everyMs);
      pool.waitingCount = waiting;
      expect(waitMs()).toBeCloseTo(waiting * everyMs);
    }),
  );
});

test('connections that come in bunches are worth their mean', () => {
  const { pool, waitMs, handOut } = setUp();
  pool.waitingCount = 10_000;
  for (let bunch = 0; bunch < 100; bunch += 1) for (let one = 0; one < 20; one += 1) handOut(one === 0 ? 100 : 0);
  pool.waitingCount = 10;
  expect(waitMs()).toBeGreaterThan(40);
  expect(waitMs()).toBeLessThan(60);
});

test('where nobody gets a connection any more, the wait grows with the time that passes', () => {
  const { clock, pool, waitMs, handOut } = setUp();
  pool.waitingCount = 3;
  handOut(1);
  clock.now += 5_000;
  expect(waitMs()).toBe(5_000);
});

test('the time in which nobody asked is no wait', () => {
  const { clock, pool, waitMs } = setUp();
  clock.now += 60_000;
  expect(waitMs()).toBe(0);
  pool.waitingCount = 1;
  clock.now += 100;
  expect(waitMs()).toBe(100);
});

test('nobody waits where nobody is ahead, and the pace of a crowd that has gone is forgotten', () => {
  const { pool, waitMs, handOut } = setUp();
  pool.waitingCount = 21;
  for (let index = 0; index < 21; index += 1) handOut(200);
  expect(waitMs()).toBe(0);
  pool.waitingCount = 1;
  handOut(60_000);
  pool.waitingCount = 10;
  expect(waitMs()).toBe(10);
});

test('a pace tells nothing of fewer departures than are asked for', () => {
  const pace = new Pace();
  pace.note(10, 19);
  expect(pace.msEach(20)).toBeUndefined();
  pace.note(0, 1);
  expect(pace.msEach(20)).toBe(0.5);
});

test('the loop takes for so many requests what it has been busy for as many, and its idle time counts for nothing', () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  let [departed, busyMs] = [0, 0];
  const { waitMs, stop } = watchLoopWait(
    () => departed,
    () => busyMs,
  );
  onTestFinished(stop);
  expect(waitMs(1_000)).toBe(250);
  for (let sample = 0; sample < 100; sample += 1) {
    [departed, busyMs] = [departed + 25, busyMs + 10];
    vi.advanceTimersByTime(50);
  }
  expect(waitMs(1_000)).toBeCloseTo(400);
  // A loop that is busy with other things than requests says nothing of them.
  busyMs += 60_000;
  vi.advanceTimersByTime(50);
  expect(waitMs(1_000)).toBeCloseTo(400);
});
