import { readFileSync } from 'node:fs';

export type Usage = {
  /** What `ps` shows as RSS, and the part of it that no file lies behind and no other process shares. */
  readonly residentBytes: number;
  readonly ownBytes: number;
  /** Since the process began. */
  readonly cpuMs: number;
};

/** What a process takes. Linux only. */
export function usageOf(pid: number): Usage {
  const memory = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const bytesOf = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(memory)?.[1]) * 1024;
  // After the name, which may hold spaces: fields 14 and 15 are ticks of 10 ms, as user and in the kernel.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return { residentBytes: bytesOf('Rss'), ownBytes: bytesOf('Anonymous'), cpuMs: (Number(fields[11]) + Number(fields[12])) * 10 };
}
