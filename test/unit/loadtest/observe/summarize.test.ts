import { expect, test } from 'vitest';
import { summarize, type Look } from '#loadtest/observe/sample-server.ts';

type Seen = {
  readonly atMs: number;
  readonly inUse: number;
  readonly cpuSeconds?: number;
  readonly delayMs?: number;
  readonly total?: number;
};

const look = ({ atMs, inUse, cpuSeconds = 0, delayMs = 0, total = 4 }: Seen): Look => ({
  state: {
    atMs,
    pool: { inUse, capacity: 10, waiting: inUse === 10 ? 6 : 0 },
    workers: [{ worker: '1', residentBytes: 1_000 + atMs, loopDelayMs: delayMs, connectionsInUse: inUse, cpuSeconds }],
  },
  backends: { active: inUse, idleInTransaction: 0, waitingForLock: 0, total },
});

test('a second is told by the means of its looks, and by the most of any', () => {
  const looks = [2, 4, 10].map((inUse, i) => look({ atMs: 100 * i, inUse, total: 4 + i, delayMs: 5 * i }));
  expect(summarize(3, looks, undefined)).toMatchObject({
    second: 3,
    looks: 3,
    pool: { inUse: 5.33, capacity: 10, waiting: 2, most: { inUse: 10, waiting: 6 } },
    backends: { active: 5.33, total: 6 },
    workers: [{ worker: '1', residentBytes: 1_200, loopDelayMs: 10, connectionsInUse: 5.33 }],
  });
});

test('CPU counts from the last look of the second before, and that look for nothing else', () => {
  const before = look({ atMs: 0, inUse: 10, cpuSeconds: 5, delayMs: 900 });
  const looks = [look({ atMs: 500, inUse: 1, cpuSeconds: 5.2 }), look({ atMs: 1_000, inUse: 1, cpuSeconds: 5.6 })];
  expect(summarize(1, looks, before).workers).toEqual([
    { worker: '1', residentBytes: 2_000, loopDelayMs: 0, connectionsInUse: 1, cpu: 0.6 },
  ]);
});

test('a worker that was replaced has used no CPU it could be held to', () => {
  const looks = [look({ atMs: 1_000, inUse: 1, cpuSeconds: 0.1 })];
  expect(summarize(1, looks, look({ atMs: 0, inUse: 1, cpuSeconds: 5 })).workers[0]).not.toHaveProperty('cpu');
});

test('what could not be asked is null', () => {
  expect(summarize(0, [{ state: undefined, backends: undefined }], undefined)).toEqual({
    second: 0,
    looks: 1,
    pool: null,
    backends: null,
    workers: [],
  });
});
