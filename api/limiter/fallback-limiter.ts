import { createLastCounts } from './last-counts.ts';
import type { Limiter, Quota } from './limiter.ts';

export type FallbackOptions = {
  /** Counts as long as it answers. */
  readonly first: Limiter;
  /** Counts while `first` does not. */
  readonly second: Limiter;
  /** Time between two tries whether `first` answers again. */
  readonly retryEveryMs: number;
  readonly now?: () => number;
  /** Told when counting falls back, with the reason, and when it returns. */
  readonly onSwitch?: (to: 'second' | 'first', reason?: unknown) => void;
};

export type FallbackLimiter = Limiter & {
  /** True while `second` counts. */
  readonly hasFallenBack: () => boolean;
};

/** Counted to learn whether `first` answers; nobody's request. */
const trial: readonly Quota[] = [{ key: 'trial', limit: 1, periodMs: 1_000 }];

/**
 * A limiter that never fails: when `first` does not answer, `second` decides, beginning with what `first` had counted for
 * the caller as far as this process knows. Requests meet the silence of `first` only once; later ones are decided by
 * `second` at once, until a trial in the background finds that `first` answers again.
 */
export function createFallbackLimiter(options: FallbackOptions): FallbackLimiter {
  const { first, second, retryEveryMs, onSwitch } = options;
  const lastCounts = createLastCounts(options.now ?? (() => performance.now()));
  let hasFallenBack = false;

  const tryLater = (): void => {
    setTimeout(tryAgain, retryEveryMs).unref();
  };
  const tryAgain = (): void => {
    first.take(trial).then(returnToFirst, tryLater);
  };
  const returnToFirst = (): void => {
    hasFallenBack = false;
    onSwitch?.('first');
  };
  const fallBack = (reason: unknown): void => {
    if (hasFallenBack) return;
    hasFallenBack = true;
    onSwitch?.('second', reason);
    // At once: it may only have been slow.
    tryAgain();
  };
  const takeFirst = async (quotas: readonly Quota[]): ReturnType<Limiter['take']> => {
    try {
      const verdicts = await first.take(quotas);
      lastCounts.remember(quotas, verdicts);
      return verdicts;
    } catch (err) {
      fallBack(err);
      return second.take(lastCounts.recall(quotas));
    }
  };

  return {
    take: (quotas) => (hasFallenBack ? second.take(lastCounts.recall(quotas)) : takeFirst(quotas)),
    hasFallenBack: () => hasFallenBack,
  };
}
