import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Logger } from '#lib/logger.ts';

/** Longer than any single look, send or write keeps the loop; a frozen monitor tells nobody anything. */
const standstillMs = 30_000;
const beatMs = 1_000;

const noteFile = (dir: string): string => join(dir, 'watchdog.json');

/**
 * Kills this process when its event loop stands still for half a minute, after leaving a note of it; whoever started it
 * (compose, systemd, npm start) starts it again. A thread of its own watches, so it stands still with a process that is
 * suspended as a whole, and does not take that for a frozen one.
 */
export function startWatchdog(
  dir: string,
  { killAfterMs = standstillMs, logger }: { readonly killAfterMs: number | undefined; readonly logger: Logger },
): { readonly stop: () => Promise<void> } {
  const beats = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL('watchdog-worker.mjs', import.meta.url), {
    workerData: { beats, noteFile: noteFile(dir), killAfterMs },
    // It counts, and does nothing else.
    resourceLimits: { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 2 },
  });
  worker.on('error', (err) => logger.error({ err }, 'the watchdog has ended; nobody sees a standstill until the next start'));
  worker.unref();
  const timer = setInterval(() => Atomics.add(beats, 0, 1), beatMs);
  timer.unref();
  return {
    stop: async () => {
      clearInterval(timer);
      await worker.terminate();
    },
  };
}

/** How long the process before stood still, when its watchdog ended it; asked once. */
export function takeWatchdogNote(dir: string): number | undefined {
  try {
    const { stoodStillMs } = JSON.parse(readFileSync(noteFile(dir), 'utf8')) as { stoodStillMs: number };
    rmSync(noteFile(dir), { force: true });
    return stoodStillMs;
  } catch {
    return undefined;
  }
}
