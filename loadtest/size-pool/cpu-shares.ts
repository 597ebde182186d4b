import { readFile } from 'node:fs/promises';
import { cpuSeconds, processTree, readProcesses, ticksPerSecond } from '#lib/proc.ts';
import { parseCpuLine } from '../observe/watch-machine.ts';
import type { Shortage } from './window.ts';

/** Processes that the API and the database descend from; both descend from this one. */
export type Roots = { readonly api: number; readonly database: number };

/**
 * Looks at whose this machine's CPU is, from now on.
 * @returns what ends it: the shares of each since then; null where there is no /proc
 */
export async function watchCpu(roots: Roots): Promise<() => Promise<Shortage['cpu']>> {
  const before = await readTimes(roots);
  return async () => {
    const after = await readTimes(roots);
    const all = (after?.all ?? 0) - (before?.all ?? 0);
    if (before === undefined || after === undefined || all <= 0) return null;
    const share = (of: Exclude<keyof Times, 'all'>): number => Math.min(1, Math.max(0, (after[of] - before[of]) / all));
    const busy = 1 - share('idle');
    const [api, database, client] = [share('api'), share('database'), share('client')];
    return { busy, api, database, client, others: Math.max(0, busy - api - database - client) };
  };
}

/** Seconds of CPU time. */
type Times = Readonly<Record<'all' | 'idle' | 'api' | 'database' | 'client', number>>;

async function readTimes({ api, database }: Roots): Promise<Times | undefined> {
  const [stat, processes] = await Promise.all([readFile('/proc/stat', 'utf8').catch(() => ''), readProcesses()]);
  const ticks = parseCpuLine(stat);
  if (ticks === undefined) return undefined;
  const [ofApi, ofDatabase] = [processTree(processes, api), processTree(processes, database)];
  const ofClient = processTree(processes, process.pid).filter((one) => !ofApi.includes(one) && !ofDatabase.includes(one));
  // Generators that have ended are counted where they were waited for.
  const ended = processes.find(({ pid }) => pid === process.pid)?.endedChildrenTicks ?? 0;
  return {
    all: ticks.all / ticksPerSecond,
    idle: ticks.idle / ticksPerSecond,
    api: cpuSeconds(ofApi),
    database: cpuSeconds(ofDatabase),
    client: cpuSeconds(ofClient) + ended / ticksPerSecond,
  };
}
