import { createBatchingLimiter, flatten, type FlatVerdicts } from './batch-takes.ts';
import type { Limiter } from './limiter.ts';
import { createSlidingWindows } from './sliding-window.ts';

/** One quota on its way between processes: key, limit, periodMs. */
export type QuotaTuple = readonly [key: string, limit: number, periodMs: number];
export type TakeTuples = readonly QuotaTuple[];

export type PrimaryLink = {
  /** Asks the primary process to count; resolves with its answer, however late. */
  readonly askPrimary: (takes: readonly TakeTuples[]) => Promise<FlatVerdicts>;
};

/** Counts in the primary process, which all workers ask: exact over all of them without Redis. */
export function createPrimaryLimiter(link: PrimaryLink, timeoutMs: number): Limiter {
  return createBatchingLimiter({
    send: (takes) => link.askPrimary(takes.map((quotas) => quotas.map(({ key, limit, periodMs }): QuotaTuple => [key, limit, periodMs]))),
    timeoutMs,
  });
}

/** The primary's side: counts the takes of one batch in order. */
export function createPrimaryCounter(now: () => number = () => performance.now()): (takes: readonly TakeTuples[]) => number[] {
  const windows = createSlidingWindows();
  return (takes) => {
    const nowMs = now();
    return takes.flatMap((quotas) =>
      flatten(
        windows.take(
          quotas.map(([key, limit, periodMs]) => ({ key, limit, periodMs })),
          nowMs,
        ),
      ),
    );
  };
}
