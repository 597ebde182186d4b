/** Lets one loop sleep until its time or until somebody wakes it. */
export type Wakeup = {
  /** Ends the present wait, or the next one if the loop is busy. */
  readonly wake: () => void;
  /** Resolves after `ms`, at a wake, or when the signal fires; never rejects. One waiter at a time. */
  readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
};

export function createWakeup(): Wakeup {
  let isPending = false;
  let end: (() => void) | undefined;
  return {
    wake: () => {
      isPending = true;
      end?.();
    },
    wait: async (ms, signal) => {
      if (!isPending && !signal.aborted && ms > 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, ms);
          end = () => {
            clearTimeout(timer);
            resolve();
          };
          signal.addEventListener('abort', end, { once: true });
        });
        if (end) signal.removeEventListener('abort', end);
        end = undefined;
      }
      isPending = false;
    },
  };
}
