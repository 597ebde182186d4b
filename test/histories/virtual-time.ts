type Timer = { readonly id: number; dueMs: number; readonly everyMs: number | undefined; readonly run: () => void };

/** The clocks, timers and chances of this process, turned by hand. */
export type VirtualTime = {
  /** Ms on the clock that never jumps. */
  readonly nowMs: () => number;
  readonly at: () => number;
  /** Lets time pass on both clocks, and what falls due happen, each after all that followed from the one before. */
  readonly pass: (ms: number) => Promise<void>;
  /** Somebody sets the clock of the machine. */
  readonly setClock: (byMs: number) => void;
  /** Forgets every timer, as the end of a process does. */
  readonly clear: () => void;
  /** Begins anew at the first moment, with another series of random numbers. */
  readonly rewind: (random: () => number) => void;
  /** Gives the process its own clocks and timers back. */
  readonly restore: () => void;
};

const { setTimeout, clearTimeout, setInterval, clearInterval, setImmediate, Date: RealDate } = globalThis;

/** Everything that only waits for promises happens before it resolves. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * Puts clocks and timers of this process under our hand. What Node itself waits for, as sockets do, is none of it.
 * @param isAlive whether who asks for a timer may still have one
 */
export function takeTime(startAt: number, isAlive: () => boolean): VirtualTime {
  let [nowMs, offsetMs, lastId] = [0, startAt, 0];
  const timers = new Map<number, Timer>();
  const add = (run: () => void, ms = 1, everyMs?: number): object => {
    const id = (lastId += 1);
    if (isAlive()) timers.set(id, { id, dueMs: nowMs + Math.max(1, ms), everyMs, run });
    const handle = { id, unref: () => handle, ref: () => handle, hasRef: () => true };
    return handle;
  };
  const drop = (handle?: { readonly id?: number }): void => void timers.delete(handle?.id ?? 0);
  const at = (): number => Math.floor(offsetMs + nowMs);
  const { random } = Math;
  const performanceNow = performance.now.bind(performance);
  class VirtualDate extends RealDate {
    constructor(...given: readonly [] | readonly [number]) {
      super(given[0] ?? at());
    }
    static override now = at;
  }
  Object.assign(globalThis, {
    setTimeout: (run: () => void, ms?: number) => add(run, ms),
    setInterval: (run: () => void, ms = 1) => add(run, ms, ms),
    clearTimeout: drop,
    clearInterval: drop,
    Date: VirtualDate,
  });
  performance.now = () => nowMs;

  const nextDue = (untilMs: number): Timer | undefined => {
    let next: Timer | undefined;
    for (const timer of timers.values()) if (timer.dueMs <= untilMs && (!next || timer.dueMs < next.dueMs)) next = timer;
    return next;
  };
  return {
    nowMs: () => nowMs,
    at,
    pass: async (ms) => {
      const untilMs = nowMs + ms;
      await settled();
      for (let timer = nextDue(untilMs); timer; timer = nextDue(untilMs)) {
        nowMs = Math.max(nowMs, timer.dueMs);
        if (timer.everyMs === undefined) timers.delete(timer.id);
        else timer.dueMs = nowMs + timer.everyMs;
        timer.run();
        await settled();
      }
      nowMs = untilMs;
    },
    setClock: (byMs) => void (offsetMs += byMs),
    clear: () => timers.clear(),
    rewind: (next) => {
      timers.clear();
      [nowMs, offsetMs, lastId] = [0, startAt, 0];
      Math.random = next;
    },
    restore: () => {
      Object.assign(globalThis, { setTimeout, clearTimeout, setInterval, clearInterval, Date: RealDate });
      performance.now = performanceNow;
      Math.random = random;
    },
  };
}
