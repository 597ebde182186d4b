import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Drive, DrivenUser } from './driver.ts';
import { openSession } from './session.ts';

const firstRetryMs = 50;
const maxRetryMs = 1_000;

/**
 * Users with a connection each and one request under way at a time, who pause between requests or never do. A user whose
 * connection fails before anything was answered waits longer each time, so that a port where nothing listens is not hammered.
 * @param arrivalMs they arrive one after the other over this long
 */
export async function driveUsers(drive: Drive, arrivalMs: number): Promise<number> {
  const underWay = { requests: 0 };
  const count = drive.users.length;
  await Promise.all(drive.users.map((user, i) => live(drive, user, (arrivalMs * i) / count, underWay)));
  return underWay.requests;
}

async function live(drive: Drive, { user, thinkMs }: DrivenUser, arriveMs: number, underWay: { requests: number }): Promise<void> {
  const { notebook, stop } = drive;
  const session = openSession(drive, user);
  let retryMs = 0;
  try {
    let pauseMs = arriveMs;
    while (pauseMs > 0 ? await pause(pauseMs, stop, (ms) => notebook.sentLate(ms)) : !stop.aborted) {
      underWay.requests += 1;
      const wasAnswered = await session.send();
      underWay.requests -= 1;
      retryMs = wasAnswered ? 0 : Math.min(maxRetryMs, Math.max(firstRetryMs, 2 * retryMs));
      pauseMs = Math.max(thinkMs(), retryMs);
    }
  } finally {
    await session.close();
  }
}

/** Waits, and tells by how much too long. @returns false when the run is over */
async function pause(ms: number, stop: AbortSignal, onLate: (ms: number) => void): Promise<boolean> {
  if (stop.aborted) return false;
  const dueMs = performance.now() + ms;
  const isOver = await sleep(ms, false, { signal: stop }).catch(() => true);
  if (!isOver) onLate(performance.now() - dueMs);
  return !isOver;
}
