import { setTimeout as sleep } from 'node:timers/promises';
import { readFile } from 'node:fs/promises';
import { processTree, readProcesses } from '#lib/proc.ts';
import { showBytes, showCount } from '#lib/show.ts';
import { openOwnTarget } from '#loadtest/targets/open-target.ts';
import { measure } from './play-workload.ts';
import { apiProcess, openArena, type BenchOptions } from './run-bench.ts';

export type MemoryLook = {
  /** Accounts that have been made and logged in. */
  readonly clients: number;
  /** GETs answered so far. */
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
    const api = await apiProcess(target.pid);
    const look = async (clients: number, requests: number): Promise<MemoryLook> => ({
      clients,
      requests,
      stackBytes: await bytesBelow(target.pid),
      apiBytes: await bytesBelow(api),
    });
    const looks = [await look(0, 0)];
    const arena = await openArena(target, { ...options, rounds: 1, peers: [] });
    const clients = arena.users.length;
    looks.push(await look(clients, 0));
    for (let requests = 0; requests < total;) {
      options.onProgress(`${showCount(requests)} of ${showCount(total)} requests`);
      requests += (await measure('read', 'api', looks.length, arena)).requests;
      looks.push(await look(clients, requests));
    }
    return looks;
  } finally {
    await target.stop();
  }
}

/** Of a process and all that descend from it; unknown without one. */
async function bytesBelow(root: number | undefined): Promise<number> {
  if (root === undefined) return Number.NaN;
  const parts = await Promise.all(processTree(await readProcesses(), root).map(({ pid }) => ownBytes(pid)));
  return parts.reduce((sum, bytes) => sum + bytes, 0);
}

/** @see https://man7.org/linux/man-pages/man5/proc_pid_smaps.5.html (Pss) */
async function ownBytes(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '');
  return 1_024 * Number(/^Pss:\s+(\d+) kB/m.exec(text)?.[1] ?? 0);
}

/** The looks as a Markdown table: before the clients came and after, the last, and those between that are a fifth of the way apart. Pure. */
export function showMemory(looks: readonly MemoryLook[]): string {
  const last = looks.at(-1)?.requests ?? 0;
  const shown = looks.filter(({ clients, requests }, index) => {
    const before = looks[index - 1];
    return clients !== before?.clients || fifths(requests, last) > fifths(before.requests, last);
  });
  return [
    '| clients | requests answered | whole stack | the API’s processes |',
    '| ---: | ---: | ---: | ---: |',
    ...shown.map(
      ({ clients, requests, stackBytes, apiBytes }) =>
        `| ${showCount(clients)} | ${showCount(requests)} | ${showBytes(stackBytes)} | ${showBytes(apiBytes)} |`,
    ),
  ].join('\n');
}

const fifths = (value: number, whole: number): number => Math.floor((5 * value) / Math.max(1, whole));
