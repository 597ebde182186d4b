import { createBatchingLimiter, flatten, type FlatVerdicts } from './batch-takes.ts';
import type { Counted, Limiter, Quota } from './limiter.ts';
import { createSlidingWindows } from './sliding-window.ts';

/** One quota on its way between processes. */
export type QuotaTuple = readonly [key: string, limit: number, periodMs: number, counted?: Counted];
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

/** The primary's side: counts the takes of one batch in order. */
export function createPrimaryCounter(now: () => number = () => performance.now()): (takes: readonly TakeTuples[]) => number[] {
  const windows = createSlidingWindows();
  return (takes) => {
    const nowMs = now();
    return takes.flatMap((quotas) => flatten(windows.take(quotas.map(fromTuple), nowMs)));
  };
}

function toTuple({ key, limit, periodMs, counted }: Quota): QuotaTuple {
  return counted ? [key, limit, periodMs, counted] : [key, limit, periodMs];
}

function fromTuple([key, limit, periodMs, counted]: QuotaTuple): Quota {
  return { key, limit, periodMs, counted };
}
