import { LimiterUnavailableError, type Limiter, type Quota, type Verdict } from './limiter.ts';

/** One request's quotas. */
export type Take = readonly Quota[];

/**
 * Four numbers for each quota, in order: 1 when allowed else 0, remaining, retryAfterMs, resetMs. Behind those of a whole batch
 * may stand when it was counted. Flat, because it crosses a process boundary for every request.
 */
export type FlatVerdicts = readonly number[];

export type BatchOptions = {
  /** Counts the takes one after the other, in order. Once nobody awaits its answer any more, they have been refused. */
  readonly send: (takes: readonly Take[], isAwaited: () => boolean) => Promise<FlatVerdicts>;
  /** After this long without an answer every take of the batch is refused with LimiterUnavailableError. */
  readonly timeoutMs: number;
  /** Takes on the way at most; more are refused at once. */
  readonly maxPending?: number;
};

/** A batch of so many shows that more are coming; gathering them for a moment spares each most of its round trip. */
const crowd = 4;
const gatherMs = 2;

type Waiter = { readonly take: Take; readonly resolve: (verdicts: Verdict[]) => void; readonly reject: (err: Error) => void };

/**
 * Sends takes together: those of one event-loop turn, and under load all that arrive while a batch is on its way, so that
 * the round trips cost a busy worker less the busier it is.
 */
export function createBatchingLimiter({ send, timeoutMs, maxPending = 10_000 }: BatchOptions): Limiter {
  let waiters: Waiter[] = [];
  let isOnTheWay = false;

  const takeWaiters = (): Waiter[] => {
    const taken = waiters;
    waiters = [];
    return taken;
  };
  const flush = async (): Promise<void> => {
    while (waiters.length > 0) {
      const batch = takeWaiters();
      let isAwaited = true;
      const answer = send(
        batch.map(({ take }) => take),
        () => isAwaited,
      );
      try {
        distribute(batch, await answerWithin(answer, timeoutMs));
      } catch (err) {
        isAwaited = false;
        // Who waited behind a batch that was not answered has waited long enough.
        refuse([...batch, ...takeWaiters()], err);
      }
      if (batch.length >= crowd) await new Promise((resolve) => setTimeout(resolve, gatherMs));
    }
    isOnTheWay = false;
  };

  return {
    take: (take) =>
      new Promise((resolve, reject) => {
        if (waiters.length >= maxPending) {
          reject(new LimiterUnavailableError('too many requests wait to be counted'));
          return;
        }
        waiters.push({ take, resolve, reject });
        if (isOnTheWay) return;
        isOnTheWay = true;
        setImmediate(() => void flush());
      }),
  };
}

/** Parts in which silence is listened for. */
const listenings = 4;

/**
 * Refuses after `timeoutMs` of silence, but only of silence this process was awake to hear: when it, or the whole machine,
 * stood still meanwhile, the other side must be given its turn too, or a busy moment would pass for an outage. So the time
 * is spent in four timers, each of which a standstill can use up only once.
 */
function answerWithin(answer: Promise<FlatVerdicts>, timeoutMs: number): Promise<FlatVerdicts> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout;
    const listen = (left: number): void => {
      // The answer may already lie in the socket: one turn of the loop reads it.
      const next = (): unknown =>
        left > 1 ? listen(left - 1) : setImmediate(() => reject(new LimiterUnavailableError(`no answer in ${timeoutMs} ms`)));
      timer = setTimeout(next, timeoutMs / listenings);
    };
    listen(listenings);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function distribute(batch: readonly Waiter[], flat: FlatVerdicts): void {
  let offset = 0;
  const countedAtMs = flat[4 * batch.reduce((quotas, { take }) => quotas + take.length, 0)];
  for (const { take, resolve, reject } of batch) {
    const verdicts = take.map((_, index) => verdictAt(flat, offset + index * 4, countedAtMs));
    offset += take.length * 4;
    if (offset > flat.length) reject(new LimiterUnavailableError('the answer is shorter than the question'));
    else resolve(verdicts);
  }
}

function verdictAt(flat: FlatVerdicts, offset: number, countedAtMs: number | undefined): Verdict {
  return {
    allowed: flat[offset] === 1,
    remaining: flat[offset + 1] as number,
    retryAfterMs: flat[offset + 2] as number,
    resetMs: flat[offset + 3] as number,
    countedAtMs,
  };
}

function refuse(batch: readonly Waiter[], cause: unknown): void {
  const err = cause instanceof LimiterUnavailableError ? cause : new LimiterUnavailableError('counting failed', { cause });
  for (const { reject } of batch) reject(err);
}

/** The inverse of what `distribute` reads. */
export function flatten(verdicts: readonly Verdict[]): number[] {
  return verdicts.flatMap(({ allowed, remaining, retryAfterMs, resetMs }) => [allowed ? 1 : 0, remaining, retryAfterMs, resetMs]);
}
