import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { adminToken, type ApiProcess } from '#test/support/api-process.ts';
import { isAlive } from '#test/support/processes.ts';

export const asAdmin = { authorization: `Bearer ${adminToken}` };
/** Process ids of the workers that run, as the primary has told them. */
export const workersOf = (api: ApiProcess): number[] =>
  [...api.stdout().matchAll(/"worker_pid":(\d+)/g)].map(([, pid]) => Number(pid)).filter((pid) => isAlive(pid));
/** Log lines are written a moment after what they tell. */
export const untilTold = async (api: ApiProcess, workers: number): Promise<void> => {
  for (const endsAt = Date.now() + 10_000; workersOf(api).length < workers && Date.now() < endsAt;) await sleep(20);
  expect(workersOf(api)).toHaveLength(workers);
};
/** Waits until none of the processes runs. */
export const isGone = async (pids: readonly number[]): Promise<void> => {
  for (const endsAt = Date.now() + 10_000; pids.some((pid) => isAlive(pid)) && Date.now() < endsAt;) await sleep(20);
  expect(pids.filter((pid) => isAlive(pid))).toEqual([]);
};
