/** Values remembered for a while, at most `capacity` of them: the one unused for longest makes room. */
export type ExpiringCache<Value> = {
  /** Undefined once `ttlMs` have passed. */
  readonly get: (key: string) => Value | undefined;
  readonly set: (key: string, value: Value) => void;
  /** The value remembered, else the one `load` finds, which is then remembered unless it is undefined. Those who ask meanwhile share one load. */
  readonly getOrLoad: (key: string, load: () => Promise<Value | undefined>) => Promise<Value | undefined>;
  /** A load that is under way is not remembered either. */
  readonly delete: (key: string) => void;
};

export type ExpiringCacheOptions = {
  readonly capacity: number;
  readonly ttlMs: number;
  /** Milliseconds of a clock that never runs backwards; default `performance.now`. */
  readonly now?: () => number;
};

export function createExpiringCache<Value>(options: ExpiringCacheOptions): ExpiringCache<Value> {
  const entries = createEntries<Value>(options);
  const loads = new Map<string, Promise<Value | undefined>>();
  const startLoad = async (key: string, load: () => Promise<Value | undefined>): Promise<Value | undefined> => {
    const loading = load();
    loads.set(key, loading);
    try {
      const value = await loading;
      if (value !== undefined && loads.get(key) === loading) entries.set(key, value);
      return value;
    } finally {
      if (loads.get(key) === loading) loads.delete(key);
    }
  };
  return {
    get: entries.get,
    set: entries.set,
    getOrLoad: async (key, load) => entries.get(key) ?? loads.get(key) ?? startLoad(key, load),
    delete: (key) => {
      entries.delete(key);
      loads.delete(key);
    },
  };
}

function createEntries<Value>({
  capacity,
  ttlMs,
  now = () => performance.now(),
}: ExpiringCacheOptions): Omit<ExpiringCache<Value>, 'getOrLoad'> {
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
      entries.set(key, { value, endsAt: now() + ttlMs });
      if (entries.size <= capacity) return;
      const oldest = entries.keys().next();
      if (!oldest.done) entries.delete(oldest.value);
    },
    delete: (key) => {
      entries.delete(key);
    },
  };
}
