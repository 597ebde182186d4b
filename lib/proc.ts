import { readFile, readdir } from 'node:fs/promises';

/** A process as /proc/PID/stat tells of it. @see https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
export type ProcessStat = {
  readonly pid: number;
  readonly parent: number;
  /** At most 15 characters. */
  readonly name: string;
  /** User and system, without children. */
  readonly cpuTicks: number;
  /** Of children that have ended and were waited for, with all of theirs. */
  readonly endedChildrenTicks: number;
  /** Pages in memory, shared ones included. */
  readonly residentPages: number;
};

/** Linux counts in hundredths of a second, for programs that read /proc. */
export const ticksPerSecond = 100;

/** On every machine PostgreSQL and Node are packaged for here (x64; arm64 as distributions set it up). */
const pageBytes = 4096;

/** The fields of one line of /proc/PID/stat; the name stands in brackets and may itself hold spaces and brackets. */
function parseStat(stat: string): ProcessStat | undefined {
  const match = /^(\d+) \((.*)\) \S (\d+) (.*)$/s.exec(stat);
  if (!match) return undefined;
  const [, pid, name = '', parent, rest = ''] = match;
  const fields = rest.trim().split(' ');
  // The first of `fields` is the 5th of the line.
  const field = (number: number): number => Number(fields[number - 5]);
  return {
    pid: Number(pid),
    parent: Number(parent),
    name,
    cpuTicks: field(14) + field(15),
    endedChildrenTicks: field(16) + field(17),
    residentPages: field(24),
  };
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

/** Memory in bytes that these processes have; what they share counts for each. */
export const residentBytes = (processes: readonly ProcessStat[]): number =>
  processes.reduce((sum, { residentPages }) => sum + residentPages, 0) * pageBytes;
