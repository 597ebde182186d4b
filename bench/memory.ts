import { setTimeout as sleep } from 'node:timers/promises';
import { readFile } from 'node:fs/promises';
import { processTree, readProcesses } from '#lib/proc.ts';
import { showBytes, showCount } from '#lib/show.ts';
import { openOwnTarget } from '#loadtest/targets/open-target.ts';
import { measure } from './play-workload.ts';
import { openArena, type BenchOptions } from './run-bench.ts';

export type MemoryLook = {
  /** Requests answered so far. */
  readonly requests: number;
  /** Memory of a whole stack, PostgreSQL included; of pages that processes share, each has its share. */
  readonly stackBytes: number;
  /** Of the API's processes alone. */
  readonly apiBytes: number;
};

/** A stack that has just started is still compiling and giving back what it needed for that. */
const restMs = 10_000;

/** How much memory a stack has at rest, and as it answers GETs of one product, `total` of them. */
export async function runMemory(total: number, options: Omit<BenchOptions, 'workloads' | 'peers' | 'rounds'>): Promise<MemoryLook[]> {
  options.onProgress('starting a stack of its own');
  const target = await openOwnTarget(options.env, options.signal);
  try {
    await sleep(restMs, undefined, { signal: options.signal });
    const arena = await openArena(target, { ...options, rounds: 1, peers: [] });
    const api = arena.servers.api?.pid;
    const looks = [await look(0, target.pid, api)];
    for (let requests = 0; requests < total;) {
      options.onProgress(`${showCount(requests)} of ${showCount(total)} requests`);
      requests += (await measure('read', 'api', looks.length, arena)).requests;
      looks.push(await look(requests, target.pid, api));
    }
    return looks;
  } finally {
    await target.stop();
  }
}

async function look(requests: number, stack: number | undefined, api: number | undefined): Promise<MemoryLook> {
  const processes = await readProcesses();
  const bytesBelow = async (root: number | undefined): Promise<number> => {
    const parts = root === undefined ? [Number.NaN] : await Promise.all(processTree(processes, root).map(({ pid }) => ownBytes(pid)));
    return parts.reduce((sum, bytes) => sum + bytes, 0);
  };
  return { requests, stackBytes: await bytesBelow(stack), apiBytes: await bytesBelow(api) };
}

/** @see https://man7.org/linux/man-pages/man5/proc_pid_smaps.5.html (Pss) */
async function ownBytes(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  return 1_024 * Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0);
}

/** The looks as a Markdown table: the first, the last, and those between that are a fifth of the way apart. Pure. */
export function showMemory(looks: readonly MemoryLook[]): string {
  const last = looks.at(-1)?.requests ?? 0;
  const shown = looks.filter(
    ({ requests }, index) => index === 0 || fifths(requests, last) > fifths(looks[index - 1]?.requests ?? 0, last),
  );
  return [
    '| requests answered | whole stack | the API’s processes |',
    '| ---: | ---: | ---: |',
    ...shown.map(({ requests, stackBytes, apiBytes }) => `| ${showCount(requests)} | ${showBytes(stackBytes)} | ${showBytes(apiBytes)} |`),
  ].join('\n');
}

const fifths = (value: number, whole: number): number => Math.floor((5 * value) / Math.max(1, whole));
