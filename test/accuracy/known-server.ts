import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRandom } from '#loadtest/generate/random.ts';

/**
 * A server whose latency is known twice: by what it was made to take, and by its own clock, request by request, since no timer
 * is as exact as a histogram. Each run of a client asks under a name of its own: `/mixture/NAME`, `/stall/NAME`, `/nothing/NAME`.
 */
export type KnownServer = {
  readonly origin: string;
  readonly pid: number;
  /** What it gave the run of that name, from the request's arrival to just before the answer leaves. */
  readonly served: (run: string) => Promise<Latency>;
  readonly stop: () => void;
};

/** In milliseconds; null where nobody says it. */
export type Latency = {
  readonly requests: number;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly p99Ms: number | null;
  readonly maxMs: number | null;
};

/** Of every thousand answers so many take so long; percentiles that are looked at lie well inside of one kind. */
export const mixture = [
  { of1000: 890, ms: 10 },
  { of1000: 80, ms: 40 },
  { of1000: 28, ms: 120 },
  { of1000: 2, ms: 250 },
] as const;

/** In every ten seconds from a run's first request, two in which nothing is answered; else ten milliseconds. */
export const stall = { everyMs: 10_000, fromMs: 4_000, toMs: 6_000, elseMs: 10 } as const;

/** When a request that comes then is answered, both since the run's first. Pure. */
export function answeredAt(sinceMs: number): number {
  const doneMs = sinceMs + stall.elseMs;
  const inPeriodMs = doneMs % stall.everyMs;
  return inPeriodMs >= stall.fromMs && inPeriodMs < stall.toMs ? doneMs - inPeriodMs + stall.toMs : doneMs;
}

/** What people who come all the time, whether or not others are answered, have to wait through one period. Pure. */
export function stallForAll(): Latency {
  const moments = 10_000;
  return latencyOf(
    Array.from({ length: moments }, (_, i) => {
      const sinceMs = ((i + 0.5) / moments) * stall.everyMs;
      return answeredAt(sinceMs) - sinceMs;
    }),
  );
}

/** By nearest rank, of all values: no histogram stands between. Pure. */
export function latencyOf(valuesMs: readonly number[]): Latency {
  const sorted = valuesMs.toSorted((a, b) => a - b);
  const at = (percent: number): number | null => sorted[Math.ceil((percent / 100) * sorted.length) - 1] ?? null;
  return { requests: sorted.length, p50Ms: at(50), p95Ms: at(95), p99Ms: at(99), maxMs: sorted.at(-1) ?? null };
}

/** Starts it in a process of its own, which ends with this one. */
export async function startKnownServer(): Promise<KnownServer> {
  const child = fork(import.meta.filename, ['serve'], { execArgv: [], env: {}, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const [origin] = (await once(child, 'message')) as [string];
  return {
    origin,
    pid: child.pid ?? 0,
    served: async (run) => (await (await fetch(`${origin}/served/${run}`)).json()) as Latency,
    stop: () => child.kill(),
  };
}

type Run = { readonly firstMs: number; readonly servedMs: number[] };

function serve(): void {
  const delaysMs = shuffled(mixture.flatMap(({ of1000, ms }) => Array.from({ length: of1000 }, () => ms)));
  const runs = new Map<string, Run>();
  let mixed = 0;
  const server = createServer((request, response) => {
    const cameMs = performance.now();
    const [, kind = '', name = ''] = (request.url ?? '').split('/');
    const run = runs.get(name) ?? { firstMs: cameMs, servedMs: [] };
    if (kind === 'served') {
      response.setHeader('content-type', 'application/json');
      return response.end(JSON.stringify(latencyOf(run.servedMs)));
    }
    runs.set(name, run);
    const answer = (): void => {
      run.servedMs.push(performance.now() - cameMs);
      response.end('pong');
    };
    if (kind === 'nothing') return answer();
    const sinceMs = cameMs - run.firstMs;
    return setTimeout(answer, kind === 'stall' ? answeredAt(sinceMs) - sinceMs : delaysMs[(mixed += 1) % delaysMs.length]);
  });
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => {
    process.send?.(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
  process.on('disconnect', () => process.exit());
}

/** The same order every time. */
function shuffled<T>(items: readonly T[]): T[] {
  const random = createRandom(1, 0);
  return items
    .map((item) => ({ item, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

if (process.argv[1] === import.meta.filename) serve();
