import type { Declared } from '#loadtest/conformance/exchange.ts';
import { slidingLog, type Limiter } from './simulated-api.ts';

/** Windows of one period each, which begin with the first request, or with every full period of the clock. */
export const fixedWindows =
  (begin: 'first' | 'clock') =>
  ({ limit, periodMs }: Declared): Limiter => {
    const windows = new Map<string, { beginMs: number; count: number }>();
    return (key, atMs) => {
      const known = windows.get(key);
      const beginMs = begin === 'clock' ? Math.floor(atMs / periodMs) * periodMs : atMs;
      const window = known && atMs < known.beginMs + periodMs ? known : { beginMs, count: 0 };
      windows.set(key, window);
      window.count += 1;
      return {
        isAllowed: window.count <= limit,
        remaining: Math.max(0, limit - window.count),
        resetMs: window.beginMs + periodMs - atMs,
      };
    };
  };

/** A bucket that fills up steadily: bursts of the limit, and as much again in every period. */
export const tokenBucket = ({ limit, periodMs }: Declared): Limiter => {
  const buckets = new Map<string, { tokens: number; atMs: number }>();
  return (key, atMs) => {
    const bucket = buckets.get(key) ?? { tokens: limit, atMs };
    bucket.tokens = Math.min(limit, bucket.tokens + ((atMs - bucket.atMs) * limit) / periodMs);
    bucket.atMs = atMs;
    buckets.set(key, bucket);
    const isAllowed = bucket.tokens >= 1;
    if (isAllowed) bucket.tokens -= 1;
    return { isAllowed, remaining: Math.floor(bucket.tokens), resetMs: ((1 - (bucket.tokens % 1)) * periodMs) / limit };
  };
};

/** Two counters that know nothing of each other, as of two workers without a common store. */
export const counterPerWorker = (declared: Declared): Limiter => {
  const workers = [slidingLog(declared), slidingLog(declared)] as const;
  let turn = 0;
  return (key, atMs) => {
    turn += 1;
    return (workers[turn % 2] as Limiter)(key, atMs);
  };
};

/** Workers whose clocks differ by seconds write times into one log. */
export const skewedClocks = ({ limit, periodMs }: Declared): Limiter => {
  const logs = new Map<string, number[]>();
  let turn = 0;
  return (key, atMs) => {
    turn += 1;
    const nowMs = atMs + (turn % 2) * 2 * periodMs;
    const log = (logs.get(key) ?? []).filter((one) => one > nowMs - periodMs);
    logs.set(key, log);
    const isAllowed = log.length < limit;
    if (isAllowed) log.push(nowMs);
    return { isAllowed, remaining: limit - log.length, resetMs: periodMs };
  };
};

/** A log in which refused requests are entered as well. */
export const refusalsCounted = ({ limit, periodMs }: Declared): Limiter => {
  const logs = new Map<string, number[]>();
  return (key, atMs) => {
    const log = (logs.get(key) ?? []).filter((one) => one > atMs - periodMs);
    const oldest = log[0] ?? atMs;
    log.push(atMs);
    logs.set(key, log);
    return { isAllowed: log.length <= limit, remaining: Math.max(0, limit - log.length), resetMs: oldest + periodMs - atMs };
  };
};

/** A count that was read before another was written: all who ask within a millisecond see the same. */
export const staleReads = ({ limit, periodMs }: Declared): Limiter => {
  const logs = new Map<string, number[]>();
  return (key, atMs) => {
    const log = (logs.get(key) ?? []).filter((one) => one > atMs - periodMs);
    logs.set(key, log);
    const seen = log.filter((one) => one < atMs - 1).length;
    const isAllowed = seen < limit;
    if (isAllowed) log.push(atMs);
    return { isAllowed, remaining: Math.max(0, limit - seen - 1), resetMs: (log[0] ?? atMs) + periodMs - atMs };
  };
};

/** Two requests of the same moment are one member of the set. */
export const collapsingMembers = ({ limit, periodMs }: Declared): Limiter => {
  const sets = new Map<string, Set<number>>();
  return (key, atMs) => {
    const set = new Set([...(sets.get(key) ?? [])].filter((one) => one > atMs - periodMs));
    sets.set(key, set);
    const isAllowed = set.size < limit;
    if (isAllowed) set.add(Math.floor(atMs));
    return { isAllowed, remaining: limit - set.size, resetMs: Math.min(...set, atMs) + periodMs - atMs };
  };
};

/** The count never expires: whoever used the limit up is refused for ever. */
export const neverExpires = (declared: Declared): Limiter => {
  const log = slidingLog({ ...declared, periodMs: 1e9 });
  return (key, atMs) => ({ ...log(key, atMs), resetMs: declared.periodMs });
};

export const off = (by: number) => (declared: Declared) => slidingLog({ ...declared, limit: declared.limit + by });
export const longer = (factor: number) => (declared: Declared) => slidingLog({ ...declared, periodMs: declared.periodMs * factor });
