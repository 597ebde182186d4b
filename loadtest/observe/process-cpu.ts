import { readdir, readFile } from 'node:fs/promises';

type Entry = { readonly pid: number; readonly parent: number; readonly name: string; readonly cpuTicks: number };

/** Linux counts CPU time in hundredths of a second, for programs that read /proc. */
const ticksPerSecond = 100;

/**
 * CPU time in seconds, user and system, that a process and all its descendants have used, those that run now. Processes
 * of the names left out do not count. Undefined where there is no /proc.
 */
export async function treeCpuSeconds(rootPid: number, leftOut: readonly string[] = []): Promise<number | undefined> {
  const entries = await readProcesses().catch(() => []);
  if (!entries.some(({ pid }) => pid === rootPid)) return undefined;
  const members = new Set([rootPid]);
  // A parent may stand after its child in the list, so it is gone through until nothing is added.
  for (let size = 0; size !== members.size;) {
    size = members.size;
    for (const { pid, parent } of entries) if (members.has(parent)) members.add(pid);
  }
  const counted = entries.filter(({ pid, name }) => members.has(pid) && !leftOut.includes(name));
  return counted.reduce((sum, { cpuTicks }) => sum + cpuTicks, 0) / ticksPerSecond;
}

async function readProcesses(): Promise<Entry[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')));
  return stats.flatMap((stat) => parseStat(stat) ?? []);
}

/** The fields of /proc/PID/stat that are needed; the name stands in parentheses and may hold spaces and parentheses. */
export function parseStat(stat: string): Entry | undefined {
  const match = /^(\d+) \((.*)\) \S (\d+) (.*)$/s.exec(stat);
  if (!match) return undefined;
  const [, pid, name = '', parent, rest = ''] = match;
  // Fields 14 and 15 of the line are the 10th and 11th after the parent's id.
  const fields = rest.split(' ');
  return { pid: Number(pid), parent: Number(parent), name, cpuTicks: Number(fields[9]) + Number(fields[10]) };
}
