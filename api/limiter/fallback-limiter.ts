import { KeptKeys } from './kept-keys.ts';
import type { Limiter, Quota, Verdict } from './limiter.ts';

export type FallbackOptions = {
  /** Counts as long as it answers. */
  readonly first: Limiter;
  /** Counts while `first` does not. */
  readonly second: Limiter;
  /** Time between two tries whether `first` answers again. */
  readonly retryEveryMs: number;
  /** Tells whether `first` answers again, where that is not asked itself. */
  readonly trial?: Limiter;
  /** False where `second` knows by itself what has been counted. */
  readonly handsOver?: boolean;
  readonly now?: () => number;
  /** Told when counting falls back, with the reason, and when it returns. */
  readonly onSwitch?: (to: 'second' | 'first', reason?: unknown) => void;
};

export type FallbackLimiter = Limiter & {
  /** True while `second` counts. */
  readonly hasFallenBack: () => boolean;
  /** Lets `second` count until a trial has found that `first` answers. */
  readonly fallBack: (reason: unknown) => void;
};

/** Counted to learn whether `first` answers; nobody's request. */
const nobodys: readonly Quota[] = [{ key: 'trial', limit: 1, periodMs: 1_000 }];

/**
 * A limiter that never fails: when `first` does not answer, `second` decides, beginning with what `first` had counted for
 * the caller as far as this process knows. Requests meet the silence of `first` only once; later ones are decided by
 * `second` at once, until a trial in the background finds that `first` answers again.
 */
export function createFallbackLimiter(options: FallbackOptions): FallbackLimiter {
  const { first, second, retryEveryMs, trial = first, handsOver = true, onSwitch } = options;
  const lastCounts = handsOver ? createLastCounts(options.now ?? (() => performance.now())) : noCounts;
  let hasFallenBack = false;

  const tryLater = (): void => {
    setTimeout(tryAgain, retryEveryMs).unref();
  };
  const tryAgain = (): void => {
    trial.take(nobodys).then(returnToFirst, tryLater);
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
  const takeFirst = (quotas: readonly Quota[]): ReturnType<Limiter['take']> =>
    first.take(quotas).then(
      (verdicts) => {
        lastCounts.remember(quotas, verdicts);
        return verdicts;
      },
      (err: unknown) => {
        fallBack(err);
        return second.take(lastCounts.recall(quotas));
      },
    );

  return {
    take: (quotas) => (hasFallenBack ? second.take(lastCounts.recall(quotas)) : takeFirst(quotas)),
    hasFallenBack: () => hasFallenBack,
    fallBack,
  };
}

type LastCounts = {
  readonly remember: (quotas: readonly Quota[], verdicts: readonly Verdict[]) => void;
  /** The quotas with what is remembered of them. */
  readonly recall: (quotas: readonly Quota[]) => Quota[];
};

const noCounts: LastCounts = { remember: () => {}, recall: (quotas) => [...quotas] };

type Remembered = { count: number; atMs: number };

/**
 * What a counter said last of each key, as long as it may still lie in the window. When it falls silent, whoever counts instead
 * begins there: callers who had used up their limit do not get it anew.
 * @param maxKeys keys remembered at most; at the bound a tenth of those with the same period makes room
 */
function createLastCounts(now: () => number, maxKeys = 20_000): LastCounts {
  const kept = new KeptKeys<Remembered>(maxKeys);
  return {
    remember: (quotas, verdicts) => {
      const atMs = now();
      quotas.forEach(({ key, limit, periodMs }, index) => {
        const known = kept.use(key, periodMs, atMs, () => ({ count: 0, atMs }));
        known.count = limit - (verdicts[index] as Verdict).remaining;
        known.atMs = atMs;
      });
    },
    recall: (quotas) =>
      quotas.map((quota) => {
        const known = kept.find(quota.key, quota.periodMs);
        return known ? { ...quota, counted: { count: known.count, ageMs: Math.round(now() - known.atMs) } } : quota;
      }),
  };
}
