import { createRandom, pickWeighted, randomInt, type Random } from '#loadtest/generate/random.ts';

/** What the nemesis does and when, decided before anything runs. All of it pure: the same seed is the same schedule. */

type Kind = {
  /** What happens, for people. */
  readonly says: string;
  /** How often, compared with the others: what costs the shop a second of its life is rare, so that the rest meets it at work. */
  readonly weight: number;
  /** Milliseconds, least and most, that it lasts; [0, 0]: it is over as soon as it is done. */
  readonly lasts: readonly [number, number];
};

export const faultKinds = {
  'commit-unheard': {
    says: 'the connection to the database ends after COMMIT was done, before the API hears of it',
    weight: 30,
    lasts: [0, 0],
  },
  'commit-unsent': { says: 'the connection to the database ends with COMMIT not yet sent on', weight: 12, lasts: [0, 0] },
  'order-unheard': {
    says: 'the connection to the database ends after an order was placed by one statement, before the API hears of it',
    weight: 12,
    lasts: [0, 0],
  },
  'order-unsent': { says: 'the connection to the database ends with such an order not yet sent on', weight: 6, lasts: [0, 0] },
  'answer-lost': { says: 'the connection to the client ends after a write was done, before its answer', weight: 25, lasts: [0, 0] },
  'request-lost': { says: 'the connection to the client ends with a write not yet sent on', weight: 6, lasts: [0, 0] },
  'database-cut': { says: 'every connection between the API and the database ends', weight: 6, lasts: [0, 0] },
  'back-end-terminated': { says: 'pg_terminate_backend on a back end of the API', weight: 30, lasts: [0, 0] },
  'back-end-frozen': { says: 'SIGSTOP, then SIGCONT, for a back end of the API', weight: 10, lasts: [50, 400] },
  'back-end-killed': { says: 'SIGKILL for a back end: PostgreSQL ends all of them and recovers from its log', weight: 3, lasts: [0, 0] },
  'postgres-killed': { says: 'SIGKILL for PostgreSQL, which is started again', weight: 1, lasts: [0, 0] },
  'postgres-frozen': { says: 'SIGSTOP, then SIGCONT, for all of PostgreSQL', weight: 4, lasts: [50, 500] },
  'worker-killed': { says: 'SIGKILL for a worker of the API', weight: 5, lasts: [0, 0] },
  'worker-frozen': { says: 'SIGSTOP, then SIGCONT, for a worker', weight: 16, lasts: [50, 600] },
  'primary-killed': { says: 'SIGKILL for the primary of the API, which is started again', weight: 2, lasts: [0, 0] },
  'primary-frozen': { says: 'SIGSTOP, then SIGCONT, for the primary', weight: 5, lasts: [50, 1_000] },
  'redis-frozen': { says: 'SIGSTOP, then SIGCONT, for Redis', weight: 8, lasts: [50, 800] },
  'redis-killed': { says: 'SIGKILL for Redis, which is started again, empty', weight: 3, lasts: [0, 0] },
  'clock-moved': {
    says: 'the clock of the API goes up to an hour wrong, either way, and then right again',
    weight: 10,
    lasts: [100, 2_000],
  },
  'logs-full': { says: 'the file system of the logs is full', weight: 4, lasts: [100, 1_500] },
} as const satisfies Record<string, Kind>;

export type FaultKind = keyof typeof faultKinds;

export type Fault = {
  /** Since the clients began. */
  readonly atMs: number;
  readonly kind: FaultKind;
  readonly forMs: number;
  /** In [0, 1): whom it meets of those there are, or how far a clock goes wrong. */
  readonly dice: number;
};

export type SchedulePlan = {
  readonly seed: number;
  readonly durationMs: number;
  readonly perMinute: number;
  /** Default: all. */
  readonly kinds?: readonly FaultKind[];
};

/** Faults at random times, on average `perMinute`, the first after half a second; several may last at once. */
export function scheduleOf({ seed, durationMs, perMinute, kinds = Object.keys(faultKinds) as FaultKind[] }: SchedulePlan): Fault[] {
  const random = createRandom(seed, 0);
  const weights = Object.fromEntries(kinds.map((kind) => [kind, faultKinds[kind].weight])) as Record<FaultKind, number>;
  const faults: Fault[] = [];
  for (let atMs = 500; atMs < durationMs; atMs += gapMs(random, perMinute)) {
    const kind = pickWeighted(random, weights);
    const [least, most] = faultKinds[kind].lasts;
    faults.push({ atMs: Math.round(atMs), kind, forMs: randomInt(random, least, most), dice: random() });
  }
  return faults;
}

/** Of a Poisson process. */
const gapMs = (random: Random, perMinute: number): number => (-Math.log(1 - random()) * 60_000) / perMinute;
