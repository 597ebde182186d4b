import type { Limiter, Quota } from './limiter.ts';

export type FallbackOptions = {
  /** Counts as long as it answers. */
  readonly first: Limiter;
  /** Counts while `first` does not. */
  readonly second: Limiter;
  /** Time between two tries whether `first` answers again. */
  readonly retryEveryMs: number;
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
 * A limiter that never fails: when `first` does not answer, `second` decides. Requests meet the silence of `first` only
 * once; later ones are decided by `second` at once, until a trial in the background finds that `first` answers again.
 */
export function createFallbackLimiter({ first, second, retryEveryMs, onSwitch }: FallbackOptions): FallbackLimiter {
  let hasFallenBack = false;

  const tryLater = (): void => {
    setTimeout(() => first.take(trial).then(returnToFirst, tryLater), retryEveryMs).unref();
  };
  const returnToFirst = (): void => {
    hasFallenBack = false;
    onSwitch?.('first');
  };
  const fallBack = (reason: unknown): void => {
    if (hasFallenBack) return;
    hasFallenBack = true;
    onSwitch?.('second', reason);
    tryLater();
  };

  return {
    take: (quotas) => {
      if (hasFallenBack) return second.take(quotas);
      return first.take(quotas).catch((err: unknown) => {
        fallBack(err);
        return second.take(quotas);
      });
    },
    hasFallenBack: () => hasFallenBack,
  };
}
