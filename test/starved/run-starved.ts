import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '#lib/errors.ts';
import { processTree, readProcesses } from '#lib/proc.ts';
import { judge } from '#loadtest/judge/verdict.ts';
import { readMeasurement } from '#loadtest/measurement/measurement-file.ts';
import { users } from '#loadtest/plans/users.ts';
import type { Target } from '#loadtest/targets/target.ts';
import type { Job } from './client.ts';
import { startDelayingProxy } from './delaying-proxy.ts';
import type { Way } from './ways.ts';

/** What a starved client made of one shop. */
export type Starved = {
  readonly shop: string;
  readonly way: string;
  /** `none` when there was no verdict at all. */
  readonly verdict: 'PASS' | 'FAIL' | 'INVALID' | 'none';
  /** Ids of checks that were missed and not excused, or, where none was, of those that were excused. */
  readonly checks: readonly string[];
  /** Why it is not PASS. */
  readonly why: string;
  readonly p95Ms: number | null;
  /** What was played, see `describeCommit`. */
  readonly commit: string;
};

/** Past warm-up, and early enough that what follows is seen. */
const strikeAfterMs = 7_000;

type Options = { readonly seed: number; readonly signal: AbortSignal; readonly commit: string };

/** Plays `users` against a shop from a client starved in one way, and judges what it measured. */
export async function runStarved(shop: string, way: Way, { stop: _stop, ...target }: Target, options: Options): Promise<Starved> {
  const { seed, signal, commit } = options;
  const about = { shop, way: way.name, commit };
  const dir = await mkdtemp(join(tmpdir(), 'atalaya-starved-'));
  const proxy = way.isFar && (await startDelayingProxy(target.origin));
  const loops = (way.beside ?? []).map((prefix) => {
    const [file, ...args] = [...prefix, process.execPath, '-e', 'for(;;);'];
    return spawn(file, args, { stdio: 'ignore' });
  });
  try {
    await playFrom(way, { target: { ...target, origin: proxy ? proxy.origin : target.origin }, scenario: way.scenario, dir, seed }, signal);
    const { verdict, checks, reasons, figures } = judge(await readMeasurement(dir), users.judges);
    const broken = checks.filter(({ outcome, kind }) => outcome === 'broken' && kind !== 'innocence');
    const named = broken.length > 0 ? broken : checks.filter(({ outcome }) => outcome === 'excused' || outcome === 'broken');
    return { ...about, verdict, checks: named.map(({ id }) => id), why: reasons.join('; '), p95Ms: figures.latency.p95Ms };
  } catch (err) {
    return { ...about, verdict: 'none', checks: [], why: messageOf(err), p95Ms: null };
  } finally {
    for (const loop of loops) loop.kill('SIGKILL');
    if (proxy) proxy.close();
    await rm(dir, { recursive: true, force: true });
  }
}

async function playFrom({ command = [process.execPath], strike }: Way, job: Job, signal: AbortSignal): Promise<void> {
  const [file, ...args] = command[0] === process.execPath ? command : [...command, process.execPath];
  const client = fork(join(import.meta.dirname, 'client.ts'), { execPath: file, execArgv: args, serialization: 'advanced', signal });
  const ended = once(client, 'exit') as Promise<[number | null, string | null]>;
  try {
    client.send(job);
    client.on('message', () => {
      if (strike) void sleep(strikeAfterMs).then(async () => strike(await generatorsOf(client.pid ?? 0)));
    });
    const [status, by] = await ended;
    if (status !== 0) throw new Error(`the client ended with ${by ?? status}`);
  } finally {
    client.kill('SIGKILL');
  }
}

async function generatorsOf(pid: number): Promise<number[]> {
  const found = await Promise.all(
    processTree(await readProcesses(), pid).map(async (one) => {
      const command = await readFile(`/proc/${one.pid}/cmdline`, 'utf8').catch(() => '');
      return command.includes('generate/generator') ? [one.pid] : [];
    }),
  );
  return found.flat();
}
