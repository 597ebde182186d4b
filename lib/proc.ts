import { readFileSync, readdirSync } from 'node:fs';
import { readFile, readdir } from 'node:fs/promises';

/** A process as /proc/PID/stat tells of it. @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
export type ProcessStat = {
  readonly pid: number;
  readonly parent: number;
  /** At most 15 characters. */
  readonly name: string;
  /** `Z`: it has ended and only waits for its parent to notice. */
  readonly state: string;
  /** User and system, without children. */
  readonly cpuTicks: number;
  /** Since the machine started. With the pid it names one process for ever. */
  readonly startTicks: number;
};

/** Linux counts in hundredths of a second, for programs that read /proc. */
export const ticksPerSecond = 100;

/** The fields of one line of /proc/PID/stat; the name stands in brackets and may itself hold spaces and brackets. */
export function parseStat(stat: string): ProcessStat | undefined {
  const match = /^(\d+) \((.*)\) (\S) (\d+) (.*)$/s.exec(stat);
  if (!match) return undefined;
  const [, pid, name = '', state = '', parent, rest = ''] = match;
  const fields = rest.trim().split(' ');
  // The first of `fields` is the 5th of the line.
  const field = (number: number): number => Number(fields[number - 5]);
  return { pid: Number(pid), parent: Number(parent), name, state, cpuTicks: field(14) + field(15), startTicks: field(22) };
}

/** One process, or undefined where it is gone or the system has no /proc. */
export function readStat(pid: number): ProcessStat | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined;
  }
}

/** All processes this one may see; none where there is no /proc. */
export async function readProcesses(): Promise<ProcessStat[]> {
  const names = await readdir('/proc').catch(() => []);
  const stats = await Promise.all(
    names.filter((name) => /^\d+$/.test(name)).map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')),
  );
  return stats.flatMap((stat) => parseStat(stat) ?? []);
}

/** A process and everything it has started, directly or through others; empty when it is not in the list. Pure. */
export function processTree(processes: readonly ProcessStat[], rootPid: number): ProcessStat[] {
  const root = processes.find(({ pid }) => pid === rootPid);
  if (!root) return [];
  const members = new Map([[rootPid, root]]);
  // A parent may stand after its child in the list, so it is gone through until nothing is added.
  for (let size = 0; size !== members.size;) {
    size = members.size;
    for (const one of processes) if (members.has(one.parent)) members.set(one.pid, one);
  }
  return [...members.values()];
}

/** CPU time in seconds, user and system, that these processes have used. */
export const cpuSeconds = (processes: readonly ProcessStat[]): number =>
  processes.reduce((sum, { cpuTicks }) => sum + cpuTicks, 0) / ticksPerSecond;

export type ProcessMemory = {
  /** Pages in memory; those shared with others count in full. */
  readonly rssBytes: number;
  /** Likewise, shared pages divided among those who share them: sums over processes mean something. */
  readonly pssBytes: number;
};

/** Memory of a process, or undefined where it is gone, another user's, or the system does not say. Costs about 1 ms. */
export async function readMemory(pid: number): Promise<ProcessMemory | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
    const kib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1]);
    const memory = { rssBytes: kib('Rss') * 1024, pssBytes: kib('Pss') * 1024 };
    return Number.isNaN(memory.rssBytes + memory.pssBytes) ? undefined : memory;
  } catch {
    return undefined;
  }
}

/** The children a process has now, by the kernel's own list; none where it has no such list. */
export function childPids(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    );
  } catch {
    return [];
  }
}
