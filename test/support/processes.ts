import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export type FoundProcess = { readonly pid: number; readonly commandLine: string };

/** Whether a process is there and has not ended; one that only waits for its parent to notice has ended. Linux only. */
export function isAlive(pid: number): boolean {
  const stat = read(pid, 'stat');
  // The name before the state may itself hold spaces and brackets.
  return stat !== '' && !stat.slice(stat.lastIndexOf(')') + 1).startsWith(' Z');
}

/**
 * Processes, other than this one, that have that text in their command line, environment, program file or working folder,
 * such as a folder only they use. Linux only.
 */
export function processesWith(text: string): FoundProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((name) => ({ pid: Number(name), commandLine: read(Number(name), 'cmdline').replaceAll('\0', ' ').trim() }))
    .filter(({ pid, commandLine }) => isAlive(pid) && traces(pid, commandLine).some((trace) => trace.includes(text)));
}

const traces = (pid: number, commandLine: string): string[] => [commandLine, read(pid, 'environ'), link(pid, 'exe'), link(pid, 'cwd')];

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

function link(pid: number, file: string): string {
  try {
    return readlinkSync(`/proc/${pid}/${file}`);
  } catch {
    return '';
  }
}
