import { readdirSync, readFileSync } from 'node:fs';

export type FoundProcess = { readonly pid: number; readonly commandLine: string };

/** Whether a process is there and has not ended; one that only waits for its parent to notice has ended. Linux only. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name before the state may itself hold spaces and brackets.
    return !stat.slice(stat.lastIndexOf(')') + 1).startsWith(' Z');
  } catch {
    return false;
  }
}

/** Processes, other than this one, whose command line holds that text, such as a folder only they use. Linux only. */
export function processesWith(text: string): FoundProcess[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid && isAlive(Number(name)))
    .map((name) => ({ pid: Number(name), commandLine: commandLineOf(Number(name)) }))
    .filter(({ commandLine }) => commandLine.includes(text));
}

function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return '';
  }
}
