import type { Declared } from './exchange.ts';
import type { Means, Player } from './matter.ts';

/** A client that is used again has rested for a period and this. */
const restMarginMs = 100;

export type LeaseOptions = {
  readonly declared: Declared;
  readonly means: Pick<Means, 'clients'>;
  readonly port: Pick<Player, 'now' | 'waitUntil'>;
};

export type Lease = {
  /** A client that has used nothing in the period that has just gone by, and that no other part uses. */
  readonly take: (stage: string) => Promise<number>;
  readonly used: (client: number, atMs: number) => void;
  /** The clients of that part may be used again. */
  readonly end: (stage: string) => void;
};

/** New clients as long as there are any, then the one that has rested longest. */
export function createLease({ declared, means, port }: LeaseOptions): Lease {
  const usedMs: number[] = [];
  const heldBy: (string | undefined)[] = [];
  const rested = (stage: string): number => {
    const free = usedMs.map((_, client) => client).filter((client) => [undefined, stage].includes(heldBy[client]));
    return free.toSorted((a, b) => (usedMs[a] ?? 0) - (usedMs[b] ?? 0))[0] ?? 0;
  };
  return {
    take: async (stage) => {
      const client = usedMs.length < means.clients ? usedMs.length : rested(stage);
      const wasUsedMs = usedMs[client];
      heldBy[client] = stage;
      usedMs[client] = Infinity;
      if (wasUsedMs !== undefined) await port.waitUntil(wasUsedMs + declared.periodMs + restMarginMs);
      usedMs[client] = port.now();
      return client;
    },
    used: (client, atMs) => void (usedMs[client] = atMs),
    end: (stage) => heldBy.forEach((holder, client) => holder === stage && (heldBy[client] = undefined)),
  };
}
