/** What is kept of the keys of one period: those that were used since `sinceMs`, and of the others those of the period before. */
type Generations<Value> = { young: Map<string, Value>; old: Map<string, Value>; sinceMs: number };

const sizeOf = ({ young, old }: Generations<unknown>): number => young.size + old.size;

/**
 * What is known of each key, for as long as it was used within its period, and at most twice that long: of a period there are never
 * more than twice the keys that were asked for within one. A use costs the same however many there are; what has had its time goes at
 * once, and only to the garbage collector. Keys that differ in their period are different keys. No clock of its own.
 */
export class KeptKeys<Value> {
  readonly #byPeriod = new Map<number, Generations<Value>>();
  readonly #maxKeys: number;

  /** @param maxKeys in all; at the bound a tenth of the period that has most makes room, the older generation first */
  constructor(maxKeys: number) {
    this.#maxKeys = maxKeys;
  }

  /** Number of keys held. */
  get size(): number {
    let size = 0;
    for (const kept of this.#byPeriod.values()) size += sizeOf(kept);
    return size;
  }

  find(key: string, periodMs: number): Value | undefined {
    const kept = this.#byPeriod.get(periodMs);
    return kept?.young.get(key) ?? kept?.old.get(key);
  }

  /**
   * What is kept of a key, from now on for another period.
   * @param nowMs never less than in an earlier call
   */
  use(key: string, periodMs: number, nowMs: number, create: () => Value): Value {
    for (const [ageMs, kept] of this.#byPeriod) {
      if (nowMs - kept.sinceMs >= ageMs) Object.assign(kept, { young: new Map(), old: kept.young, sinceMs: nowMs });
    }
    let kept = this.#byPeriod.get(periodMs);
    if (!kept) this.#byPeriod.set(periodMs, (kept = { young: new Map(), old: new Map(), sinceMs: nowMs }));
    const known = kept.young.get(key);
    if (known !== undefined) return known;
    let value = kept.old.get(key);
    if (value !== undefined) kept.old.delete(key);
    else {
      if (this.size >= this.#maxKeys) this.#makeRoom();
      value = create();
    }
    kept.young.set(key, value);
    return value;
  }

  #makeRoom(): void {
    const [largest] = [...this.#byPeriod.values()].toSorted((a, b) => sizeOf(b) - sizeOf(a));
    if (!largest) return;
    let left = Math.ceil(sizeOf(largest) / 10);
    for (const generation of [largest.old, largest.young]) {
      for (const key of generation.keys()) {
        if (left === 0) return;
        generation.delete(key);
        left -= 1;
      }
    }
  }
}
