import { orAborted } from '#lib/abort.ts';
import { ApiError } from '../errors.ts';
import type { Claim } from './idempotency.ts';

/** Runs `work` once no other request with the same claim runs; `signal` is asked for only when one does. */
export type InKeyTurn = <T>(claim: Claim | undefined, signal: () => AbortSignal, work: () => Promise<T>) => Promise<T>;

/** As long as the database lets a duplicate wait that reached another process. */
const maxWaitMs = 5_000;

/**
 * Lets requests with the same Idempotency-Key take turns within this process. In the database each of them would wait for
 * the first with a connection of its own, and twenty duplicates of one slow request would take twenty from everybody else.
 * @throws idempotency_in_flight when those ahead take longer than `maxWaitMs`
 */
export function createKeyTurns(): InKeyTurn {
  const lastInLine = new Map<string, Promise<void>>();
  const inTurn = async <T>(claim: Claim, signal: () => AbortSignal, work: () => Promise<T>): Promise<T> => {
    const name = `${claim.principal}\n${claim.key}`;
    const ahead = lastInLine.get(name);
    const { promise: end, resolve } = Promise.withResolvers<void>();
    lastInLine.set(name, end);
    try {
      if (ahead) await waitFor(ahead, signal());
      return await work();
    } finally {
      // Who gives up must not let those behind it pass those ahead of it.
      resolve(ahead);
      void end.then(() => lastInLine.get(name) === end && lastInLine.delete(name));
    }
  };
  return (claim, signal, work) => (claim ? inTurn(claim, signal, work) : work());
}

async function waitFor(ahead: Promise<void>, signal: AbortSignal): Promise<void> {
  const deadline = AbortSignal.timeout(maxWaitMs);
  try {
    await orAborted(ahead, AbortSignal.any([signal, deadline]));
  } catch (err) {
    if (!deadline.aborted || signal.aborted) throw err;
    throw new ApiError('idempotency_in_flight', 'A request with this Idempotency-Key is still being worked on.', {}, { cause: err });
  }
}
