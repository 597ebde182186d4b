/** Time that goes by only when everything waits for it: hours of waiting pass in milliseconds, in the same order each time. */
export type VirtualTime = {
  readonly now: () => number;
  readonly waitUntil: (atMs: number) => Promise<void>;
  /** Lets time go by until the work is done. */
  readonly run: <T>(work: Promise<T>) => Promise<T>;
};

type Timer = { readonly atMs: number; readonly order: number; readonly fire: () => void };

export function createVirtualTime(): VirtualTime {
  let nowMs = 0;
  let order = 0;
  const timers: Timer[] = [];
  const next = (): Timer | undefined => {
    const first = timers.reduce<Timer | undefined>(
      (best, one) => (best === undefined || one.atMs < best.atMs || (one.atMs === best.atMs && one.order < best.order) ? one : best),
      undefined,
    );
    if (first) timers.splice(timers.indexOf(first), 1);
    return first;
  };
  return {
    now: () => nowMs,
    waitUntil: (atMs) =>
      new Promise((fire) => {
        order += 1;
        timers.push({ atMs: Math.max(atMs, nowMs), order, fire });
      }),
    run: async (work) => {
      let isDone = false;
      const settled = work.finally(() => (isDone = true));
      settled.catch(() => {});
      for (;;) {
        // All that follows from the last moment happens before the next one.
        await new Promise(setImmediate);
        if (isDone) return settled;
        const timer = next();
        if (timer === undefined) throw new Error('everything waits for something that never happens');
        nowMs = timer.atMs;
        timer.fire();
      }
    },
  };
}
