import { createBatchingLimiter, flatten, type FlatVerdicts } from './batch-takes.ts';
import type { Beside, Counted, Limiter, Quota } from './limiter.ts';
import { createSlidingWindows } from './sliding-window.ts';

/** One quota on its way between processes. */
export type QuotaTuple = readonly [key: string, limit: number, periodMs: number, counted?: Counted | null, beside?: Beside];
export type TakeTuples = readonly QuotaTuple[];

export type PrimaryLink = {
  /** Asks the primary process to count; resolves with its answer, however late. */
  readonly askPrimary: (takes: readonly TakeTuples[]) => Promise<FlatVerdicts>;
};

/** Counts in the primary process, which all workers ask: exact over all of them without Redis. */
export function createPrimaryLimiter(link: PrimaryLink, timeoutMs: number): Limiter {
  return createBatchingLimiter({
    send: (takes) => link.askPrimary(takes.map((quotas) => quotas.map(toTuple))),
    timeoutMs,
  });
}

/**
 * The primary's side: counts the takes of one batch in order, and tells behind their verdicts when that was. Where Redis decides,
 * this is the book beside it, of all that the machine let in: from the time when a worker last did without Redis, which then knows
 * less, until that has left the window, the book refuses too. A take of nothing says that a worker does without Redis.
 */
export function createPrimaryCounter(now: () => number = () => performance.now()): (takes: readonly TakeTuples[]) => number[] {
  const windows = createSlidingWindows();
  let aloneAtMs = -Infinity;
  return (takes) => {
    const nowMs = now();
    const flat: number[] = [];
    for (const tuples of takes) {
      const quotas = tuples.map(fromTuple);
      if (quotas.every(({ beside }) => beside === undefined)) aloneAtMs = nowMs;
      flat.push(...flatten(windows.take(quotas, nowMs, aloneAtMs)));
    }
    flat.push(nowMs);
    return flat;
  };
}

function toTuple({ key, limit, periodMs, counted, beside }: Quota): QuotaTuple {
  if (beside) return [key, limit, periodMs, null, beside];
  return counted ? [key, limit, periodMs, counted] : [key, limit, periodMs];
}

function fromTuple([key, limit, periodMs, counted, beside]: QuotaTuple): Quota {
  return { key, limit, periodMs, counted: counted ?? undefined, beside };
}
