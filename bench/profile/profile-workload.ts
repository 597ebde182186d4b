import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readProcesses } from '#lib/proc.ts';
import { openOwnTarget } from '#loadtest/targets/open-target.ts';
import { measure, workloads, type Workload } from '../play-workload.ts';
import type { Score } from '../rounds.ts';
import { benchDefaults, fillStock, openArena, readSizes, type BenchOptions } from '../run-bench.ts';
import { flameSvg, readProfiles, sharesByArea } from './flame.ts';

export type WorkloadProfile = {
  readonly workload: Workload;
  /** With the profiler at work, which slows it down. */
  readonly score: Score;
  /** Of the busiest worker; shares of its working time, 0–1, the greatest first. */
  readonly areas: readonly (readonly [area: string, share: number])[];
  readonly flame: string;
};

/** Plays one kind of request against a stack of its own whose workers tell where their time went. */
export async function profileWorkload(
  workload: Workload,
  options: Omit<BenchOptions, 'workloads' | 'peers' | 'rounds'>,
): Promise<WorkloadProfile> {
  const dir = await mkdtemp(join(tmpdir(), 'atalaya-profile-'));
  const env = { ...benchDefaults, ...options.env, NODE_OPTIONS: `--import=${new URL(`hook.ts?dir=${dir}`, import.meta.url).href}` };
  try {
    options.onProgress('starting a stack of its own');
    const target = await openOwnTarget(env, options.signal);
    let score: Score;
    try {
      await fillStock((await readSizes(target)).postgres);
      const arena = await openArena(target, { ...options, rounds: 1, peers: [] });
      options.onProgress(`profiling ${workloads[workload]}`);
      await measure(workload, 'api', 0, arena);
      await startProfiles(arena.servers.api?.pid);
      score = await measure(workload, 'api', 1, arena);
    } finally {
      await target.stop();
    }
    const [busiest] = await readProfiles(dir);
    if (!busiest) throw new Error(`no worker left a profile in ${dir}`);
    return { workload, score, areas: sharesByArea(busiest), flame: flameSvg(busiest, `${workloads[workload]}: one worker of the API`) };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** The workers are the children of the API's primary process. */
async function startProfiles(primary: number | undefined): Promise<void> {
  for (const { pid, parent } of await readProcesses()) if (parent === primary) process.kill(pid, 'SIGUSR2');
}

/** Less than this share of the time has no line in the table. */
const leastShare = 0.01;

/** Where the time of all went, one column each. Pure. */
export function showAreas(profiles: readonly WorkloadProfile[]): string {
  const shareOf = (areas: WorkloadProfile['areas'], name: string): number => areas.find(([area]) => area === name)?.[1] ?? 0;
  const names = new Set(profiles.flatMap(({ areas }) => areas.flatMap(([area, share]) => (share < leastShare ? [] : [area]))));
  return [
    `| area | ${profiles.map(({ workload }) => workloads[workload]).join(' | ')} |`,
    `| --- | ${profiles.map(() => '---:').join(' | ')} |`,
    ...[...names].map((name) => `| ${name} | ${profiles.map(({ areas }) => `${(100 * shareOf(areas, name)).toFixed(1)} %`).join(' | ')} |`),
  ].join('\n');
}
