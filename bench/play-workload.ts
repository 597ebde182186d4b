import { join } from 'node:path';
import { cpuSeconds, processTree, readProcesses, residentBytes, type ProcessStat } from '#lib/proc.ts';
import { playPhase, type PhaseOptions } from '#loadtest/generate/play-phase.ts';
import { calibrate } from '#loadtest/observe/calibrate.ts';
import { startNullServer } from '#loadtest/observe/watch-machine.ts';
import { mergeHistograms, percentileMs } from '#loadtest/measurement/histogram.ts';
import { errorCount, settledCount, sumCounts } from '#loadtest/measurement/merge.ts';
import type { Phase, Slice } from '#loadtest/measurement/measurement.ts';
import type { Stage } from '#loadtest/scenarios/scenario.ts';
import { compare, contenders, roundOrder, type Comparison, type Contender, type Round, type Score } from './rounds.ts';
import type { BenchFacts } from './crowd.ts';
import { FloorError } from './start-floor.ts';
import { playPgbench } from './peers/pgbench.ts';
import type { PostgresSettings } from '#lib/settings.ts';

const crowdFile = join(import.meta.dirname, 'crowd.ts');

export const workloads = {
  read: 'GET one product',
  list: 'GET the first page of 20',
  pages: 'GET any page of 20',
  filter: 'GET a search with a price',
  order: 'POST order of 3 lines',
} as const;
export type Workload = keyof typeof workloads;
export const isWorkload = (name: string): name is Workload => Object.hasOwn(workloads, name);

/** More than these would only wait for the locks of the products that all of them order. */
const maxOrdering = 50;

/** Of a round; where less of it was seen, what its requests cost is not known. */
const leastSeenShare = 0.9;

/** Where they meet, and under which load. */
export type Arena = {
  /** The servers that play, in order. */
  readonly servers: Readonly<Partial<Record<Contender, { readonly origin: string; readonly pid: number | undefined }>>>;
  /** What pgbench plays with, as many connections as each server has; undefined: it does not play. */
  readonly pgbench: { readonly postgres: PostgresSettings; readonly connections: number } | undefined;
  readonly nullServerFile: string;
  readonly runId: string;
  readonly users: Stage['users'];
  readonly catalogue: BenchFacts['catalogue'];
  readonly phase: Omit<Phase, 'script' | 'load'>;
  readonly rounds: number;
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
};

/** Plays one kind of request against all, in alternating rounds. */
export async function playWorkload(workload: Workload, arena: Arena): Promise<{ rounds: Round[]; comparison: Comparison }> {
  const rounds: Round[] = [];
  // What it asks of the database is written for these two.
  const asked = workload === 'read' || workload === 'order' ? workload : undefined;
  const servers = Object.keys(arena.servers) as Contender[];
  const playing = arena.pgbench && asked ? [...servers, 'pgbench' as const] : servers;
  for (let round = 0; round < arena.rounds; round += 1) {
    const scores: Partial<Record<Contender, Score>> = {};
    for (const contender of roundOrder(round, playing)) {
      arena.onProgress(`${workloads[workload]}: round ${round + 1} of ${arena.rounds}, ${contender}`);
      if (contender !== 'pgbench') scores[contender] = await measure(workload, contender, round, arena);
      else if (arena.pgbench && asked) scores.pgbench = await playPgbench(asked, { ...arena, ...arena.pgbench });
    }
    rounds.push(scores as Round);
  }
  return { rounds, comparison: compare(rounds) };
}

/** One round of one contender. */
export const measure = (workload: Workload, contender: Contender, round: number, arena: Arena): Promise<Score> =>
  measureLoad(playedBy(workload, `${contender}-${round}`, arena), arena.servers[contender]);

type Played = Pick<PhaseOptions, 'phase' | 'seed' | 'crowdFile' | 'facts' | 'users'> & { readonly signal: AbortSignal };

/** What a server does under a load, from its last second of warm-up on. @throws {FloorError} when a client was lost */
export async function measureLoad({ phase, ...options }: Played, server: Arena['servers'][Contender]): Promise<Score> {
  const { origin, pid } = server ?? { origin: '', pid: undefined };
  const { signal } = options;
  const [from, seconds] = [phase.warmUpMs / 1_000, phase.durationMs / 1_000];
  const slices: Slice[] = [];
  let cpuBefore: Promise<number | undefined> | undefined;
  let cpuSinceMs = 0;
  const onSlices: PhaseOptions['onSlices'] = (news, second) => {
    slices.push(...news);
    // What a program does for the first time, such as compiling itself, is no cost of a request.
    if (cpuBefore === undefined && second !== undefined && second >= from - 1) {
      cpuBefore = serverProcesses(pid).then(cpuOf);
      cpuSinceMs = performance.now();
    }
  };
  const result = await playPhase({ ...options, phase, origin, startSecond: 0, onSlices });
  const [before, running] = [await cpuBefore, await serverProcesses(pid)];
  const after = cpuOf(running);
  // On a busy machine the news of the warm-up's end may come when most of the round is over: its requests cost more than was seen.
  const isSeen = performance.now() - cpuSinceMs >= phase.durationMs * leastSeenShare;
  signal.throwIfAborted();
  if (result.lost.length > 0) throw new FloorError(result.lost.join('; '));

  const window = slices.filter(({ second }) => second >= from && second < from + seconds);
  const histogram = mergeHistograms(window.map(({ latency }) => latency));
  const counts = sumCounts(slices);
  const requests = settledCount(sumCounts(slices.filter(({ second }) => second >= from)));
  const isKnown = before !== undefined && after !== undefined && isSeen && requests > 0;
  return {
    requestsPerSecond: sumCounts(window).ok / seconds,
    p50Ms: percentileMs(histogram, 50) ?? null,
    p99Ms: percentileMs(histogram, 99) ?? null,
    cpuMs: isKnown ? (1_000 * (after - before)) / requests : null,
    requests,
    residentBytes: running.length === 0 ? null : residentBytes(running),
    errors: errorCount(counts) + counts.limited + counts.refused,
  };
}

/** What the users of one workload are given, who are fewer where more would only wait for one another. */
function playedBy(workload: Workload, name: string, { phase, users: all, runId, catalogue, signal }: Arena): Played {
  const users = workload === 'order' ? all.slice(0, maxOrdering) : all;
  const facts: BenchFacts = { runId: `${runId}-${name}`, catalogue };
  const load = { kind: 'saturating', users: users.length } as const;
  return { phase: { ...phase, script: workload, load }, seed: 1, crowdFile, facts, users, signal };
}

/** The database's own processes descend from the stack too, and work for all contenders. None where they cannot be read. */
async function serverProcesses(pid: number | undefined): Promise<readonly ProcessStat[]> {
  return pid === undefined ? [] : processTree(await readProcesses(), pid).filter(({ name }) => name !== 'postgres');
}

const cpuOf = (processes: readonly ProcessStat[]): number | undefined => (processes.length === 0 ? undefined : cpuSeconds(processes));

/** What the client alone reaches against a server that does nothing; undefined when that could not be measured. */
export async function measureClient(arena: Arena): Promise<ClientSpeed | undefined> {
  const nullServer = await startNullServer(arena.nullServerFile);
  try {
    return (await calibrate(playedBy('read', 'alone', arena), nullServer.origin)) ?? undefined;
  } finally {
    nullServer.stop();
  }
}

export type ClientSpeed = { readonly requestsPerSecond: number; readonly p99Ms: number | null };

/** A client that is hardly faster than a contender measures itself. */
const leastHeadroom = 1.5;

/** The contenders, by workload, that came too near to what the client can do, so that their figures are the client's. Pure. */
export function limitedByClient(
  client: ClientSpeed,
  results: Readonly<Partial<Record<Workload, { readonly rounds: readonly Round[] }>>>,
): string[] {
  const isNear = (score: Score | undefined): boolean =>
    score !== undefined && score.requestsPerSecond * leastHeadroom > client.requestsPerSecond;
  return (Object.keys(workloads) as Workload[]).flatMap((workload) =>
    contenders
      .filter((contender) => contender !== 'pgbench' && results[workload]?.rounds.some((round) => isNear(round[contender])))
      .map((contender) => `${contender}, ${workloads[workload]}`),
  );
}
