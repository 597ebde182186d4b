import { readFileSync } from 'node:fs';

/** Processes that this one has started and that still run. Linux only. */
export function childPids(): number[] {
  return readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}
