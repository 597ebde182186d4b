/** Values remembered for a while, at most `capacity` of them: the one unused for longest makes room. */
export type ExpiringCache<Value> = {
  /** Undefined once `ttlMs` have passed. */
  readonly get: (key: string) => Value | undefined;
  readonly set: (key: string, value: Value) => void;
  readonly delete: (key: string) => void;
};

export type ExpiringCacheOptions = {
  readonly capacity: number;
  readonly ttlMs: number;
  /** Milliseconds of a clock that never runs backwards; default `performance.now`. */
  readonly now?: () => number;
};

export function createExpiringCache<Value>(options: ExpiringCacheOptions): ExpiringCache<Value> {
  const now = options.now ?? (() => performance.now());
  // A Map keeps the order of insertion; what is read is put in again at the end.
  const entries = new Map<string, { readonly value: Value; readonly endsAt: number }>();
  return {
    get: (key) => {
      const entry = entries.get(key);
      if (!entry) return undefined;
      entries.delete(key);
      if (entry.endsAt <= now()) return undefined;
      entries.set(key, entry);
      return entry.value;
    },
    set: (key, value) => {
      entries.delete(key);
      entries.set(key, { value, endsAt: now() + options.ttlMs });
      if (entries.size <= options.capacity) return;
      const oldest = entries.keys().next();
      if (!oldest.done) entries.delete(oldest.value);
    },
    delete: (key) => {
      entries.delete(key);
    },
  };
}
