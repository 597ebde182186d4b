type Task<T> = (signal: AbortSignal) => Promise<T>;

/**
 * Runs two tasks side by side. The first to fail, or the caller's signal, ends the other; both have ended when this
 * returns.
 * @throws the error of the task that failed first.
 */
export async function together<A, B>(signal: AbortSignal | undefined, one: Task<A>, other: Task<B>): Promise<[A, B]> {
  const failure = new AbortController();
  const both = signal ? AbortSignal.any([signal, failure.signal]) : failure.signal;
  let first: { readonly err: unknown } | undefined;
  const guarded = async <T>(task: Task<T>): Promise<T> => {
    try {
      return await task(both);
    } catch (err) {
      first ??= { err };
      failure.abort();
      throw err;
    }
  };
  const [a, b] = await Promise.allSettled([guarded(one), guarded(other)]);
  if (a.status === 'fulfilled' && b.status === 'fulfilled') return [a.value, b.value];
  throw first?.err;
}
