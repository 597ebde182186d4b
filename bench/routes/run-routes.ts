import { join } from 'node:path';
import type { ShopClient } from '#loadtest/scenarios/shop/clients.ts';
import { openOwnTarget } from '#loadtest/targets/open-target.ts';
import { showCount } from '#lib/show.ts';
import type { Phase } from '#loadtest/measurement/measurement.ts';
import { measureLoad, type Arena } from '../play-workload.ts';
import { compare, roundOrder, type Comparison, type Round } from '../rounds.ts';
import { benchDefaults, fillStock, openArena, readSizes, type BenchOptions } from '../run-bench.ts';
import { showRatio, showSpread } from '../show-bench.ts';
import { FloorError, startFloor, type Floor } from '../start-floor.ts';
import { createRecorder, type Recorder, type Recording } from './record-routes.ts';
import { requestHeader } from './replay.ts';
import { furnish, methodOf, routes, type Belongings } from './requests.ts';
import type { RouteUser } from './route-crowd.ts';

export type RoutesOptions = Omit<BenchOptions, 'workloads' | 'peers'> & {
  /** Names of routes. */
  readonly only: readonly string[];
  /** How long each plays a route before what counts: for its first ten thousand requests V8 compiles what only this route runs. */
  readonly firstWarmUpMs: number;
};

export type RouteResult = {
  readonly route: string;
  /** How many statements one request sends, BEGIN and COMMIT counted. */
  readonly statements: number;
  readonly comparison: Comparison;
};

const crowdFile = join(import.meta.dirname, 'route-crowd.ts');
const warmUpMs = 1_000;

/**
 * Puts each route beside its own SQL: a bare server, with as many processes and connections, that asks the database what the API was
 * heard to ask for the same requests, and answers the bytes that it answered. Each connection asks for something else.
 */
export async function runRoutes(options: RoutesOptions): Promise<RouteResult[]> {
  options.onProgress('starting a stack of its own');
  const target = await openOwnTarget({ ...benchDefaults, ...options.env }, options.signal);
  try {
    const { postgres, ...sizes } = await readSizes(target);
    const arena = await openArena(target, { ...options, peers: [] });
    await fillStock(postgres);
    const belongings = await furnish(target.origin, arena.users as ShopClient[], arena.catalogue);
    const recorder = createRecorder(postgres);
    try {
      const results: RouteResult[] = [];
      // What the writes write would stand in the lists that were read before.
      for (const isWrite of [false, true]) {
        const named = options.only.filter((route) => (methodOf(route) !== 'GET') === isWrite);
        if (named.length === 0) continue;
        options.onProgress('hearing what the API asks of the database');
        const recorded = await recordAll(recorder, named, arena, belongings);
        const floor = await startFloor({ postgres, ...sizes, framework: 'none', recordings: recorded.recordings });
        const field = { ...arena, firstWarmUpMs: options.firstWarmUpMs, servers: { ...arena.servers, floor } };
        try {
          if (!isWrite) await assertSameAnswers(field, recorded);
          for (const route of named) results.push(await playRoute(route, field, recorded));
        } finally {
          await floor.stop();
        }
      }
      return results;
    } finally {
      await recorder.close();
    }
  } finally {
    options.onProgress('stopping the stack');
    await target.stop();
  }
}

type Recorded = { readonly users: readonly RouteUser[]; readonly recordings: readonly Recording[] };

async function recordAll(
  recorder: Recorder,
  named: readonly string[],
  { users }: Pick<Arena, 'users'>,
  belongings: readonly Belongings[],
): Promise<Recorded> {
  const recordings: Recording[] = [];
  const asking: RouteUser[] = [];
  for (const [index, of] of belongings.entries()) {
    const requests: { -readonly [K in keyof RouteUser['requests']]: RouteUser['requests'][K] } = {};
    for (const route of named) {
      const request = { method: methodOf(route), ...(routes[route] as (typeof routes)[string])(of) };
      requests[route] = { ...request, number: recordings.push(await recorder.record(request, of.clientId)) - 1 };
    }
    asking.push({ accessToken: (users[index] as ShopClient).accessToken, requests });
  }
  return { users: asking, recordings };
}

type Field = Arena & Pick<RoutesOptions, 'firstWarmUpMs'> & { readonly servers: Arena['servers'] & { readonly floor: Floor } };

/** @throws {FloorError} naming the first read that the two answer otherwise, to the first user or the last */
async function assertSameAnswers({ servers, signal }: Field, { users }: Recorded): Promise<void> {
  for (const { accessToken, requests } of [users.at(0), users.at(-1)].filter((user) => user !== undefined)) {
    for (const { path, number } of Object.values(requests)) {
      const headers = { authorization: `Bearer ${accessToken}`, [requestHeader]: `${number}` };
      const answers = [servers.api, servers.floor].map(async (server) =>
        (await fetch(`${server?.origin}/api/v1${path}`, { headers, signal })).text(),
      );
      const [ours, floors] = await Promise.all(answers);
      if (ours !== floors) throw new FloorError(`GET ${path} was recorded as ${String(floors)}, and is answered ${String(ours)}`);
    }
  }
}

async function playRoute(route: string, field: Field, { users, recordings }: Recorded): Promise<RouteResult> {
  const { rounds: count, firstWarmUpMs, onProgress } = field;
  const play = async (round: number, phase: Phase): Promise<Round> => {
    const scores: { -readonly [K in keyof Round]: Round[K] } = {} as Round;
    for (const contender of roundOrder(round, ['api', 'floor'] as const)) {
      onProgress(`${route}: ${round === 0 ? 'warm-up' : `round ${round} of ${count}`}, ${contender}`);
      const facts = `${field.runId}-${contender}-${round}`;
      scores[contender] = await measureLoad({ phase, seed: 1, crowdFile, facts, users, signal: field.signal }, field.servers[contender]);
    }
    return scores;
  };
  const phase: Phase = { ...field.phase, warmUpMs, script: route, load: { kind: 'saturating', users: users.length } };
  await play(0, { ...phase, warmUpMs: 0, durationMs: firstWarmUpMs });
  const rounds: Round[] = [];
  for (let round = 1; round <= count; round += 1) rounds.push(await play(round, phase));
  const statements = recordings[users[0]?.requests[route]?.number ?? 0]?.script.length ?? 0;
  return { route, statements, comparison: compare(rounds) };
}

/** Below this share of what its own SQL gives a route is named as slow. */
export const leastShare = 0.8;

/** The results as a Markdown table, with the slow routes named below it, and those of which part was refused. Pure. */
export function showRoutes(results: readonly RouteResult[]): string {
  const rows = results.map(({ route, statements, comparison: { api } }) => {
    const perSecond = showSpread(api?.requestsPerSecond, (value) => showCount(Math.round(value)));
    return `| ${route} | ${statements} | ${perSecond} | ${showRatio(api?.throughputRatio)} | ${showRatio(api?.cpuRatio)} |`;
  });
  const slow = results.filter(({ comparison: { api } }) => (api?.throughputRatio?.median ?? 0) < leastShare).map(({ route }) => route);
  const refused = results.filter(({ comparison }) => Object.values(comparison).some(({ errors }) => errors > 0)).map(({ route }) => route);
  return [
    '| route | statements | a second | throughput, × its own SQL | CPU of a request, × its own SQL |',
    '| --- | ---: | ---: | ---: | ---: |',
    ...rows,
    '',
    slow.length === 0 ? `No route is below ${leastShare}.` : `Below ${leastShare}: ${slow.join(', ')}.`,
    ...(refused.length === 0 ? [] : ['', `No comparison, since not every request was answered well: ${refused.join(', ')}.`]),
  ].join('\n');
}
