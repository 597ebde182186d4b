import { performance } from 'node:perf_hooks';
import type { Pool } from 'pg';

/**
 * How long whoever comes now will wait in this process: as long as those ahead of it take to leave, at the pace at which
 * they leave. Measured on what really ends, so that it holds for whatever the work is and however busy the machine.
 */

/** What is older than about this tells little of what comes. */
const memoryMs = 500;

/** Time for one departure from a queue that is not empty, the newest counting most. Pure. */
export class Pace {
  #ms = 0;
  #departures = 0;

  /** @param ms that the queue worked since the last note */
  note(ms: number, departures: number): void {
    const kept = Math.exp(-ms / memoryMs);
    this.#ms = this.#ms * kept + ms;
    this.#departures = this.#departures * kept + departures;
  }

  /** Undefined while fewer than `least` departures are remembered. */
  msEach(least: number): number | undefined {
    return this.#departures < least ? undefined : this.#ms / this.#departures;
  }

  forget(): void {
    this.#ms = 0;
    this.#departures = 0;
  }
}

/** Until a connection has been lent out while others waited. */
const firstLoanMs = 1;

/** How long who asks the pool for a connection now will wait for it, in milliseconds; to be asked for every request. */
export function watchPoolWait(pool: Pool, now: () => number = () => performance.now()): () => number {
  const pace = new Pace();
  let lastMs = now();
  let seenEmptyMs = lastMs;
  let isStanding = false;
  pool.on('acquire', () => {
    const nowMs = now();
    if (isStanding) pace.note(nowMs - lastMs, 1);
    // The pace of a crowd that has long gone tells nothing of the next.
    else if (nowMs - lastMs > memoryMs) pace.forget();
    lastMs = nowMs;
    isStanding = pool.waitingCount > 0;
  });
  return () => {
    const nowMs = now();
    if (pool.waitingCount === 0) {
      seenEmptyMs = nowMs;
      return 0;
    }
    // Where nobody gets one any more, the first of them has waited for about so long.
    const stalledMs = nowMs - Math.max(lastMs, seenEmptyMs);
    return Math.max(pool.waitingCount * (pace.msEach(1) ?? firstLoanMs), stalledMs);
  };
}

export type LoopWait = {
  /** How long the event loop takes for so many requests, in milliseconds. */
  readonly waitMs: (requests: number) => number;
  readonly stop: () => void;
};

const sampleEveryMs = 50;
/** Fewer were answered by chance, and much of the loop's work was not for them. */
const leastDepartures = 20;
/** Until so many have been: about what a request costs on a machine that is not busy. */
const firstGuessMs = 0.25;

/**
 * @param departed how many requests have been answered so far
 * @param busyMs how long the loop has been at work so far
 */
export function watchLoopWait(departed: () => number, busyMs: () => number = () => performance.eventLoopUtilization().active): LoopWait {
  const pace = new Pace();
  let msEach = firstGuessMs;
  let before = { busyMs: busyMs(), departed: departed() };
  const timer = setInterval(() => {
    const now = { busyMs: busyMs(), departed: departed() };
    pace.note(now.busyMs - before.busyMs, now.departed - before.departed);
    before = now;
    msEach = pace.msEach(leastDepartures) ?? msEach;
  }, sampleEveryMs).unref();
  return { waitMs: (requests) => requests * msEach, stop: () => clearInterval(timer) };
}
