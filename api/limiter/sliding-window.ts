import { KeptKeys } from './kept-keys.ts';
import type { Limiter, Quota, Verdict } from './limiter.ts';

/**
 * Times of the requests counted for one key, oldest first: a ring that doubles up to the limit, so that a key costs
 * eight bytes for each request in its window. Most keys count one or two, for which a typed array would cost 240 bytes more.
 */
class RequestTimes {
  #ring: number[] = [-Infinity];
  #head = 0;
  size = 0;

  at(index: number): number {
    return this.#ring[(this.#head + index) % this.#ring.length] as number;
  }

  /** Forgets requests at or before `timeMs`: a window of w covers (now - w, now]. */
  dropUntil(timeMs: number): void {
    while (this.size > 0 && this.at(0) <= timeMs) {
      this.#head = (this.#head + 1) % this.#ring.length;
      this.size -= 1;
    }
  }

  push(timeMs: number): void {
    if (this.size === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.size) % this.#ring.length] = timeMs;
    this.size += 1;
  }

  /** Forgets the newest request of that time. */
  forget(timeMs: number): void {
    let index = this.size - 1;
    while (index >= 0 && this.at(index) !== timeMs) index -= 1;
    if (index < 0) return;
    for (let next = index + 1; next < this.size; next += 1) {
      this.#ring[(this.#head + next - 1) % this.#ring.length] = this.at(next);
    }
    this.size -= 1;
  }

  #grow(): void {
    const ring = this.#ring;
    // In order, and as much again to be written over.
    this.#ring = ring.slice(this.#head).concat(ring.slice(0, this.#head), ring);
    this.#head = 0;
  }
}

export type SlidingWindows = {
  /**
   * Counts one request against all quotas, or against none when one is used up.
   * @param nowMs monotonic; never less than in an earlier call
   * @param aloneAtMs since when the counter beside which this one stands, if any, knows of every request
   */
  readonly take: (quotas: readonly Quota[], nowMs: number, aloneAtMs?: number) => Verdict[];
  /** Number of keys held. */
  readonly size: () => number;
};

/**
 * Counts requests in memory, exactly. No clock of its own: the same calls give the same verdicts.
 * @param maxKeys keys held at most. At the bound a tenth of those with the same period makes room.
 */
export function createSlidingWindows(maxKeys = 100_000): SlidingWindows {
  const kept = new KeptKeys<RequestTimes>(maxKeys);

  const timesFor = (quota: Quota, nowMs: number): RequestTimes => {
    const times = kept.use(quota.key, quota.periodMs, nowMs, () => new RequestTimes());
    times.dropUntil(nowMs - quota.periodMs);
    takeOver(times, quota, nowMs);
    return times;
  };

  return {
    take: (quotas, nowMs, aloneAtMs = -Infinity) => {
      const windows = quotas.map((quota) => timesFor(quota, nowMs));
      if (quotas.some(isGivenBack)) return windows.map((times, index) => giveBack(times, quotas[index] as Quota));
      const isOthers = ({ beside, periodMs }: Quota): boolean => beside === 'counted' && aloneAtMs <= nowMs - periodMs;
      const allAllow = windows.every((times, index) => times.size < (quotas[index] as Quota).limit || isOthers(quotas[index] as Quota));
      if (allAllow) for (const times of windows) times.push(nowMs);
      return windows.map((times, index) => {
        const quota = quotas[index] as Quota;
        return allAllow && isOthers(quota) ? noOpinion(quota) : verdictOf(times, quota, allAllow, nowMs);
      });
    },
    size: () => kept.size,
  };
}

const isGivenBack = ({ beside }: Quota): boolean => typeof beside === 'object';

function giveBack(times: RequestTimes, quota: Quota): Verdict {
  if (typeof quota.beside === 'object') times.forget(quota.beside.givenBackMs);
  return noOpinion(quota);
}

/** The other counter decides. */
const noOpinion = ({ limit }: Quota): Verdict => ({ allowed: true, remaining: limit, retryAfterMs: 0, resetMs: 0 });

function takeOver(times: RequestTimes, { counted, limit, periodMs }: Quota, nowMs: number): void {
  if (!counted || counted.ageMs >= periodMs) return;
  const newest = times.size === 0 ? -Infinity : times.at(times.size - 1);
  const atMs = Math.max(newest, nowMs - counted.ageMs);
  while (times.size < Math.min(counted.count, limit)) times.push(atMs);
}

function verdictOf(times: RequestTimes, quota: Quota, counted: boolean, nowMs: number): Verdict {
  const untilLeaves = (index: number): number => Math.max(1, Math.ceil(times.at(index) + quota.periodMs - nowMs));
  const resetMs = times.size === 0 ? 0 : untilLeaves(0);
  const remaining = Math.max(0, quota.limit - times.size);
  if (counted || remaining > 0) return { allowed: true, remaining, retryAfterMs: remaining > 0 ? 0 : resetMs, resetMs };
  // With a limit of 0 nothing ever leaves; the period is as good a time to ask again as any.
  const retryAfterMs = quota.limit === 0 ? quota.periodMs : untilLeaves(times.size - quota.limit);
  return { allowed: false, remaining: 0, retryAfterMs, resetMs };
}

/** Counts in this process alone, with the full limit: exact for one process, the last resort of several. */
export function createLocalLimiter(now: () => number = () => performance.now()): Limiter {
  const windows = createSlidingWindows();
  return { take: (quotas) => Promise.resolve(windows.take(quotas, now())) };
}
