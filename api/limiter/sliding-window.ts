import type { Limiter, Quota, Verdict } from './limiter.ts';

/**
 * Times of the requests counted for one key, oldest first: a ring that doubles up to the limit, so that a key costs
 * eight bytes for each request in its window.
 */
class RequestTimes {
  #ring = new Float64Array(8);
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
    const larger = new Float64Array(this.#ring.length * 2);
    for (let index = 0; index < this.size; index += 1) larger[index] = this.at(index);
    this.#ring = larger;
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

type Entry = { readonly times: RequestTimes; periodMs: number };

/**
 * Counts requests in memory, exactly. No clock of its own: the same calls give the same verdicts.
 * @param maxKeys keys held at most. At the bound, keys with an empty window go first, then the one held longest.
 */
export function createSlidingWindows(maxKeys = 100_000): SlidingWindows {
  const entries = new Map<string, Entry>();

  const entryFor = (quota: Quota, nowMs: number): RequestTimes => {
    let entry = entries.get(quota.key);
    if (entry === undefined) {
      if (entries.size >= maxKeys) makeRoom(entries, maxKeys, nowMs);
      entry = { times: new RequestTimes(), periodMs: quota.periodMs };
      entries.set(quota.key, entry);
    }
    entry.periodMs = quota.periodMs;
    entry.times.dropUntil(nowMs - quota.periodMs);
    takeOver(entry.times, quota, nowMs);
    return entry.times;
  };

  return {
    take: (quotas, nowMs, aloneAtMs = -Infinity) => {
      const windows = quotas.map((quota) => entryFor(quota, nowMs));
      if (quotas.some(isGivenBack)) return windows.map((times, index) => giveBack(times, quotas[index] as Quota));
      const isOthers = ({ beside, periodMs }: Quota): boolean => beside === 'counted' && aloneAtMs <= nowMs - periodMs;
      const allAllow = windows.every((times, index) => times.size < (quotas[index] as Quota).limit || isOthers(quotas[index] as Quota));
      if (allAllow) for (const times of windows) times.push(nowMs);
      return windows.map((times, index) => {
        const quota = quotas[index] as Quota;
        return allAllow && isOthers(quota) ? noOpinion(quota) : verdictOf(times, quota, allAllow, nowMs);
      });
    },
    size: () => entries.size,
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

/** Frees a tenth of the table, so that the sweep is paid for once in many new keys. */
function makeRoom(entries: Map<string, Entry>, maxKeys: number, nowMs: number): void {
  for (const [key, { times, periodMs }] of entries) {
    times.dropUntil(nowMs - periodMs);
    if (times.size === 0) entries.delete(key);
  }
  const keep = Math.floor(maxKeys * 0.9);
  for (const key of entries.keys()) {
    if (entries.size <= keep) return;
    entries.delete(key);
  }
}

/** Counts in this process alone, with the full limit: exact for one process, the last resort of several. */
export function createLocalLimiter(now: () => number = () => performance.now()): Limiter {
  const windows = createSlidingWindows();
  return { take: (quotas) => Promise.resolve(windows.take(quotas, now())) };
}
