import { cpus } from 'node:os';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * The share of this machine's CPU, 0–1, that is in use over the next `ms`. Time that a hypervisor gives to other machines
 * counts as in use: it is not there for the run either.
 */
export async function measureMachineLoad(ms: number): Promise<number> {
  const before = readIdle();
  await sleep(ms);
  const after = readIdle();
  const available = (after.atMs - before.atMs) * cpus().length;
  return Math.min(1, Math.max(0, 1 - (after.idleMs - before.idleMs) / available));
}

function readIdle(): { atMs: number; idleMs: number } {
  return { atMs: performance.now(), idleMs: cpus().reduce((sum, { times }) => sum + times.idle, 0) };
}
