/** Resolves once the signal has fired, at once when it has already. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

/**
 * The outcome of some work, or a rejection with the signal's reason as soon as it fires, whichever comes first. The work
 * itself goes on; what it then brings is dropped. Nothing stays attached to a signal that outlives the work.
 */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise: fired, reject } = Promise.withResolvers<never>();
  const onAbort = (): void => reject(signal.reason as Error);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([fired, work]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    // The loser must not count as an unhandled rejection.
    work.catch(() => {});
  }
}
