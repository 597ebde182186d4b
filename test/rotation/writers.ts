import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cleanEnvironment } from '#test/support/clean-environment.ts';

/** What a writer had to say at its end: lines it wrote, and how many of them it gave up since the disk took none. */
export type Written = { readonly lines: number; readonly dropped: number };

export type Writer = { readonly child: ChildProcess; readonly finish: () => Promise<Written> };

export type WriterOptions = { readonly linesPerSecond?: number; readonly followMs?: number };

/** A process that writes access lines as a worker of the API does; its lines carry its number. */
export function startWriter(dir: string, number: number, { linesPerSecond = 10_000, followMs = 20 }: WriterOptions = {}): Writer {
  const names = { LOG_DIR: dir, WRITER: `${number}`, LOG_RATE: `${linesPerSecond}`, LOG_FOLLOW_MS: `${followMs}` };
  const child = spawn(process.execPath, [join(import.meta.dirname, 'log-writer.ts')], {
    env: { ...cleanEnvironment(), ...names },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
  const ended = once(child, 'close');
  return {
    child,
    finish: async () => {
      child.stdin.end();
      await ended;
      const [lines = 0, dropped = 0] = said.trim().split(' ').map(Number);
      return { lines, dropped };
    },
  };
}

/** Resolves once so many processes say that they write to the folder. */
export async function untilWriting(dir: string, count: number, withinMs = 30_000): Promise<void> {
  for (const endsAt = performance.now() + withinMs; performance.now() < endsAt; await sleep(20)) if (notesIn(dir).length >= count) return;
  throw new Error(`${notesIn(dir).length} of ${count} writers write to ${dir} after ${withinMs / 1_000} s`);
}

function notesIn(dir: string): string[] {
  try {
    return readdirSync(join(dir, '.writers')).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
}
