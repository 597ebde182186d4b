/** One request of a caller, by the clock of whoever sent it. */
export type Asked = { readonly sentMs: number; readonly answeredMs: number; readonly status: number };

export type Window = { readonly limit: number; readonly periodMs: number };

export type Judgement = {
  readonly asked: number;
  readonly admitted: number;
  /** Neither 200 nor 429. */
  readonly failed: number;
  /** The most that were admitted in one window for certain: sent after its begin, answered before its end. */
  readonly fullest: number;
  /** Admitted beyond the limit in the fullest window. */
  readonly over: number;
  /** What an exact limiter would have admitted of the same requests. */
  readonly ideal: number;
  /** Part of `ideal` that was refused; 0 when as many or more were admitted. */
  readonly under: number;
  readonly slowestMs: number;
};

/** Holds what one caller was told against an exact sliding window. Pure. */
export function judgeCaller(requests: readonly Asked[], { limit, periodMs }: Window): Judgement {
  const admitted = requests.filter(({ status }) => status === 200);
  const failed = requests.filter(({ status }) => status !== 200 && status !== 429).length;
  const fullest = fullestWindow(admitted, periodMs);
  const ideal = idealOf(requests, { limit, periodMs });
  return {
    asked: requests.length,
    admitted: admitted.length,
    failed,
    fullest,
    over: Math.max(0, fullest - limit),
    ideal,
    under: ideal === 0 ? 0 : Math.max(0, 1 - admitted.length / ideal),
    slowestMs: requests.reduce((slowest, { sentMs, answeredMs }) => Math.max(slowest, answeredMs - sentMs), 0),
  };
}

/** Several callers together: the worst of each, the sum of what counts. Pure. */
export function total(callers: readonly Judgement[]): Judgement {
  const sum = (of: (caller: Judgement) => number): number => callers.reduce((all, caller) => all + of(caller), 0);
  const most = (of: (caller: Judgement) => number): number => Math.max(...callers.map(of));
  const [admitted, ideal] = [sum((caller) => caller.admitted), sum((caller) => caller.ideal)];
  return {
    asked: sum(({ asked }) => asked),
    admitted,
    failed: sum(({ failed }) => failed),
    fullest: most(({ fullest }) => fullest),
    over: most(({ over }) => over),
    ideal,
    under: ideal === 0 ? 0 : Math.max(0, 1 - admitted / ideal),
    slowestMs: most(({ slowestMs }) => slowestMs),
  };
}

function fullestWindow(admitted: readonly Asked[], periodMs: number): number {
  const bySent = admitted.toSorted((a, b) => a.sentMs - b.sentMs);
  return bySent.reduce((fullest, { sentMs: begin }, first) => {
    let inside = 0;
    for (let at = first; at < bySent.length; at += 1) {
      const { sentMs, answeredMs } = bySent[at] as Asked;
      if (sentMs >= begin + periodMs) break;
      if (answeredMs < begin + periodMs) inside += 1;
    }
    return Math.max(fullest, inside);
  }, 0);
}

/** Each request is taken to have been decided midway. */
function idealOf(requests: readonly Asked[], { limit, periodMs }: Window): number {
  const decided = requests.map(({ sentMs, answeredMs }) => (sentMs + answeredMs) / 2).toSorted((a, b) => a - b);
  const times: number[] = [];
  for (const atMs of decided) {
    const oldest = times.at(-limit);
    if (oldest === undefined || oldest <= atMs - periodMs) times.push(atMs);
  }
  return times.length;
}
