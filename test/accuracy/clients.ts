import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { playPhase } from '#loadtest/generate/play-phase.ts';
import { decodeHistogram, mergeHistograms, percentileMs } from '#loadtest/measurement/histogram.ts';
import { droppedCount, errorCount, sumCounts } from '#loadtest/measurement/merge.ts';
import type { Load, Slice } from '#loadtest/measurement/measurement.ts';
import { processesFor } from '#loadtest/plans/phase-of.ts';
import type { Latency } from './known-server.ts';

/** How much is asked: so many connections that never pause, or so many requests a second whatever the answers. */
export type Asked = {
  readonly connections: number;
  readonly perSecond?: number;
  readonly seconds: number;
  /** Played before and not counted, by clients that can; default 0. */
  readonly warmUpSeconds?: number;
};

/** What a client says it has seen. */
export type Said = Latency & { readonly perSecond: number; readonly errors: number; readonly sendLag?: SendLag };

export type SendLag = { readonly dropped: number; readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number };

export type Client = {
  readonly name: string;
  /** `closed`: the next request waits for the answer; `open`: sent when due; `paced`: due at a rate, yet a connection waits for its answer. */
  readonly kind: 'closed' | 'paced' | 'open';
  /** @throws {Error} with code ENOENT when it is not installed on this machine */
  readonly play: (url: string, asked: Asked) => Promise<Said>;
};

const crowdFile = resolve(import.meta.dirname, '../integration/loadtest/ping-crowd.ts');

type Length = Pick<Asked, 'seconds' | 'warmUpSeconds'> & { readonly processes: number };

/** A phase of the load test's own generator. */
export async function playOwn(url: string, load: Load, { seconds, warmUpSeconds = 0, processes }: Length): Promise<Said> {
  const { origin, pathname: path } = new URL(url);
  const slices: Slice[] = [];
  const played = await playPhase({
    origin,
    phase: {
      name: 'accuracy',
      script: 'ping',
      load,
      warmUpMs: 1_000 * warmUpSeconds,
      durationMs: 1_000 * seconds,
      timeoutMs: 10_000,
      processes,
    },
    startSecond: 0,
    seed: 1,
    crowdFile,
    facts: { pong: 'pong', path },
    users: Array.from({ length: load.users }, () => ({})),
    onSlices: (news) => slices.push(...news),
  });
  if (played.lost.length > 0) throw new Error(played.lost.join('; '));
  const measured = slices.filter(({ second }) => second >= warmUpSeconds);
  const [counts, latency] = [sumCounts(measured), mergeHistograms(measured.map((slice) => slice.latency))];
  const at = (percent: number): number | null => percentileMs(latency, percent) ?? null;
  const figures = { requests: latency.totalCount, p50Ms: at(50), p95Ms: at(95), p99Ms: at(99), maxMs: at(100) };
  const lag = decodeHistogram(played.sendLag);
  const lagAt = (percent: number): number => percentileMs(lag, percent) ?? 0;
  const dropped = played.arrivals ? droppedCount(played.arrivals) : 0;
  const sendLag = { dropped, p50Ms: lagAt(50), p99Ms: lagAt(99), maxMs: lagAt(100) };
  const inTime = sumCounts(measured.filter(({ second }) => second < warmUpSeconds + seconds)).ok;
  return { ...figures, perSecond: inTime / seconds, errors: errorCount(counts), sendLag };
}

/** As `--think 0` plays it. */
const ownClosed: Client = {
  name: 'Atalaya, users who never pause',
  kind: 'closed',
  play: (url, { connections, ...length }) => {
    const load = { kind: 'saturating', users: connections } as const;
    return playOwn(url, load, { ...length, processes: processesFor(load) });
  },
};

/** Enough for a stall of two seconds at 100 a second. */
const leastUsers = 300;

/** As `--rate` plays it: with a user for every request of a second. */
const ownOpen: Client = {
  name: 'Atalaya, arrivals at a rate',
  kind: 'open',
  play: (url, { perSecond = 0, ...length }) => {
    const stages = [{ fromPerSecond: perSecond, toPerSecond: perSecond, durationMs: 1_000 * length.seconds }];
    const load = { kind: 'open', users: Math.max(leastUsers, perSecond), spacing: 'even', stages } as const;
    return playOwn(url, load, { ...length, processes: processesFor(load) });
  },
};

const run = promisify(execFile);

/** A program of others; the last line of what it prints is JSON. */
async function runJson(command: string, args: readonly string[]): Promise<Record<string, unknown>> {
  const { stdout } = await run(command, args, { maxBuffer: 16 * 1024 * 1024 });
  const json = stdout.trimStart().startsWith('{') ? stdout : (stdout.trim().split('\n').at(-1) ?? '');
  return JSON.parse(json) as Record<string, unknown>;
}

const autocannon = resolve(import.meta.dirname, '../../node_modules/.bin/autocannon');

async function playAutocannon(url: string, seconds: number, flags: readonly string[]): Promise<Said> {
  const found = await runJson(process.execPath, [autocannon, '--json', '--no-progress', '--duration', `${seconds}`, ...flags, url]);
  const { latency, requests, errors, duration } = found as {
    latency: { p50: number; p99: number; max: number };
    requests: { total: number };
    errors: number;
    duration: number;
  };
  // Of the 95th percentile it says nothing.
  const figures = { requests: requests.total, p50Ms: latency.p50, p95Ms: null, p99Ms: latency.p99, maxMs: latency.max };
  return { ...figures, perSecond: requests.total / duration, errors };
}

async function playOha(url: string, seconds: number, flags: readonly string[]): Promise<Said> {
  const found = await runJson('oha', ['--no-tui', '--output-format', 'json', '-z', `${seconds}s`, ...flags, url]);
  const {
    latencyPercentiles: at,
    summary,
    statusCodeDistribution,
    errorDistribution,
  } = found as {
    latencyPercentiles: Record<'p50' | 'p95' | 'p99', number>;
    summary: { slowest: number; requestsPerSec: number };
    statusCodeDistribution: Record<string, number>;
    errorDistribution: Record<string, number>;
  };
  const requests = statusCodeDistribution['200'] ?? 0;
  // Those it gives up at its deadline are no errors of the server's.
  const errors = Object.entries(errorDistribution).reduce((sum, [says, count]) => sum + (says.includes('deadline') ? 0 : count), 0);
  const figures = { requests, p50Ms: 1_000 * at.p50, p95Ms: 1_000 * at.p95, p99Ms: 1_000 * at.p99, maxMs: 1_000 * summary.slowest };
  return { ...figures, perSecond: summary.requestsPerSec, errors };
}

async function playWrk(url: string, { connections, seconds }: Asked): Promise<Said> {
  const script = join(import.meta.dirname, 'wrk-figures.lua');
  const found = await runJson('wrk', ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', script, url]);
  const { seconds: lasted, ...figures } = found as unknown as Latency & { seconds: number; errors: number };
  return { ...figures, perSecond: figures.requests / lasted };
}

/** Beside our own generators, each as its users run it. */
export const clients: readonly Client[] = [
  ownClosed,
  ownOpen,
  {
    name: 'autocannon',
    kind: 'closed',
    play: (url, { connections, seconds }) => playAutocannon(url, seconds, ['-c', `${connections}`]),
  },
  {
    name: 'autocannon at a rate',
    kind: 'paced',
    play: (url, { connections, perSecond, seconds }) => playAutocannon(url, seconds, ['-c', `${connections}`, '-R', `${perSecond}`]),
  },
  { name: 'wrk', kind: 'closed', play: playWrk },
  { name: 'oha', kind: 'closed', play: (url, { connections, seconds }) => playOha(url, seconds, ['-c', `${connections}`]) },
  {
    name: 'oha at a rate, corrected',
    kind: 'paced',
    play: (url, { connections, perSecond, seconds }) =>
      playOha(url, seconds, ['-c', `${connections}`, '-q', `${perSecond}`, '--latency-correction']),
  },
];
