import type { Quota, Verdict } from './limiter.ts';

export type LastCounts = {
  readonly remember: (quotas: readonly Quota[], verdicts: readonly Verdict[]) => void;
  /** The quotas with what is remembered of them. */
  readonly recall: (quotas: readonly Quota[]) => Quota[];
};

type Remembered = { count: number; atMs: number };

/**
 * What a counter said last of each key. When it falls silent, whoever counts instead begins there: callers who had used
 * up their limit do not get it anew.
 * @param maxKeys keys remembered at most; the one remembered longest makes room
 */
export function createLastCounts(now: () => number, maxKeys = 20_000): LastCounts {
  const counts = new Map<string, Remembered>();
  return {
    remember: (quotas, verdicts) => {
      const atMs = now();
      quotas.forEach(({ key, limit }, index) => {
        const count = limit - (verdicts[index] as Verdict).remaining;
        const known = counts.get(key);
        if (known) {
          known.count = count;
          known.atMs = atMs;
          return;
        }
        const [oldest] = counts.size >= maxKeys ? counts.keys() : [];
        if (oldest !== undefined) counts.delete(oldest);
        counts.set(key, { count, atMs });
      });
    },
    recall: (quotas) =>
      quotas.map((quota) => {
        const known = counts.get(quota.key);
        return known ? { ...quota, counted: { count: known.count, ageMs: Math.round(now() - known.atMs) } } : quota;
      }),
  };
}
