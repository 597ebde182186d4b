import { createRandom, type Random } from '#loadtest/generate/random.ts';
import type { Question } from '#loadtest/size-pool/next-step.ts';
import { totalOf, type PoolSetting, type Window } from '#loadtest/size-pool/window.ts';

/**
 * A closed queueing network in simulated time: so many users without pauses; each request passes the API's code, waits for a
 * connection, and while it holds that goes through its visits one after the other.
 */
export type BackEnd = {
  readonly users: number;
  /** Cores that run the API's code, and its mean time on one; before a connection is asked for. */
  readonly api?: { readonly cores: number; readonly ms: number };
  /** Cores of the database. */
  readonly cores: number;
  /** What a request does while it holds its connection; times are means of exponential ones. */
  readonly visits: (random: Random) => readonly Visit[];
  /** How much longer everything takes on a core for each connection in use beyond the cores: caches, switches, latches. */
  readonly contention?: number;
};

/** On a core, under the one lock (and on a core), or elsewhere: network, disk, another service. */
export type Visit = { readonly at: 'core' | 'lock' | 'away'; readonly ms: number };

/** What the machine adds: independent noise of each window as a share, a drift of each further window, a limit of the client. */
export type Machine = { readonly noise: number; readonly drift?: number; readonly clientMost?: number };

type Station = { free: number; readonly queue: (() => void)[] };

/** Requests completed each second in `seconds` with a pool of that size, after as long again as a third of it. */
export function simulate(backEnd: BackEnd, connections: number, seconds: number, random: Random): { perSecond: number; p95Ms: number } {
  const clock = createClock();
  const pool = station(connections);
  const api = station(backEnd.api?.cores ?? 0);
  const cores = station(backEnd.cores);
  const lock = station(1);
  const [fromMs, untilMs] = [(1_000 * seconds) / 3, (4_000 * seconds) / 3];
  const latencies: number[] = [];
  const service = (ms: number): number => -Math.log(1 - random()) * ms;
  const onCore = (ms: number, then: () => void): void => {
    const busy = connections - pool.free;
    const slowed = ms * (1 + (backEnd.contention ?? 0) * Math.max(0, busy - backEnd.cores));
    take(cores, () => clock.after(service(slowed), () => (give(cores), then())));
  };
  const visit = ({ at, ms }: Visit, then: () => void): void => {
    if (at === 'away') clock.after(service(ms), then);
    else if (at === 'core') onCore(ms, then);
    else take(lock, () => onCore(ms, () => (give(lock), then())));
  };
  const request = (): void => {
    const startedMs = clock.now();
    const hold = (): void => take(pool, () => follow(backEnd.visits(random), visit, done));
    const done = (): void => {
      give(pool);
      if (clock.now() >= fromMs && clock.now() < untilMs) latencies.push(clock.now() - startedMs);
      request();
    };
    if (backEnd.api) take(api, () => clock.after(service(backEnd.api?.ms ?? 0), () => (give(api), hold())));
    else hold();
  };
  for (let user = 0; user < backEnd.users; user += 1) request();
  clock.runUntil(untilMs);
  latencies.sort((a, b) => a - b);
  return { perSecond: latencies.length / seconds, p95Ms: latencies[Math.floor(0.95 * latencies.length)] ?? 0 };
}

function follow(visits: readonly Visit[], visit: (one: Visit, then: () => void) => void, done: () => void, index = 0): void {
  const one = visits[index];
  if (one === undefined) done();
  else visit(one, () => follow(visits, visit, done, index + 1));
}

const station = (servers: number): Station => ({ free: servers, queue: [] });

function take(at: Station, then: () => void): void {
  if (at.free === 0) return void at.queue.push(then);
  at.free -= 1;
  then();
}

function give(at: Station): void {
  const next = at.queue.shift();
  if (next) next();
  else at.free += 1;
}

/** Events in the order of their moments: a binary heap. */
function createClock() {
  const heap: { atMs: number; run: () => void }[] = [];
  let nowMs = 0;
  const at = (index: number): number => heap[index]?.atMs ?? Infinity;
  const swap = (a: number, b: number): void => {
    const [one, other] = [heap[a], heap[b]];
    if (one && other) [heap[a], heap[b]] = [other, one];
  };
  const sink = (): void => {
    for (let i = 0; ;) {
      const child = at(2 * i + 1) <= at(2 * i + 2) ? 2 * i + 1 : 2 * i + 2;
      if (at(child) >= at(i)) return;
      swap(i, child);
      i = child;
    }
  };
  return {
    now: () => nowMs,
    after: (ms: number, run: () => void): void => {
      heap.push({ atMs: nowMs + ms, run });
      for (let i = heap.length - 1; i > 0 && at(i) < at((i - 1) >> 1); i = (i - 1) >> 1) swap(i, (i - 1) >> 1);
    },
    runUntil: (untilMs: number): void => {
      for (let next = heap[0]; next && next.atMs <= untilMs; next = heap[0]) {
        nowMs = next.atMs;
        swap(0, heap.length - 1);
        heap.pop();
        sink();
        next.run();
      }
    },
  };
}

/** Windows of a simulated back end, each of simulated seconds, seen through a machine that is not quiet. */
export function windowsOf(backEnd: BackEnd, { noise, drift = 0, clientMost = Infinity }: Machine, seed: number, seconds = 3) {
  let played = 0;
  return (setting: PoolSetting): Window => {
    played += 1;
    const random = createRandom(seed, played);
    const { perSecond, p95Ms } = simulate(backEnd, totalOf(setting), seconds, random);
    const gauss = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const seen = Math.min(clientMost, perSecond * Math.exp(noise * gauss - drift * played));
    return {
      setting,
      perSecond: seen,
      p95Ms: (p95Ms * perSecond) / seen,
      errorShare: 0,
      clientUse: Math.min(1, seen / clientMost),
      shortage: { cpu: null, workerCpu: null, active: null, waitingForLock: null },
    };
  };
}

/** The sizes that a long run without noise shows to lose less than a twentieth. */
export function trulyTied(backEnd: BackEnd, sizes: Question['sizes'], seconds = 40): number[] {
  const levels = sizes.map((size) => ({ size, perSecond: simulate(backEnd, size, seconds, createRandom(1, size)).perSecond }));
  const most = Math.max(...levels.map(({ perSecond }) => perSecond));
  return levels.filter(({ perSecond }) => perSecond > 0.95 * most).map(({ size }) => size);
}
