import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Drive } from './driver.ts';
import { openSession, type Session } from './session.ts';

/** What waits longer than this for a user to be free, or for this process to turn to it, is not sent any more. */
const patienceMs = 1_000;

/**
 * Sends a request at each of the given moments, whether or not earlier ones are answered, by the user who has been free
 * longest. Where none is free it waits for one, and counts as slower by that; after a second it is dropped, and counted as that.
 * @param timesMs from the start, ascending
 */
export async function driveArrivals(drive: Drive, timesMs: Iterable<number>): Promise<number> {
  const sessions = drive.users.map(({ user }) => openSession(drive, user));
  const dispatch = createDispatch(drive, sessions);
  const startedMs = performance.now();
  try {
    for (const timeMs of timesMs) {
      const dueMs = startedMs + timeMs;
      const waitMs = dueMs - performance.now();
      if (waitMs > 0) await sleep(waitMs);
      dispatch.arrive(dueMs);
    }
    return await dispatch.settled();
  } finally {
    await Promise.all(sessions.map((session) => session.close()));
  }
}

/** Gives what arrives to whoever is free, in the order in which it arrives. */
function createDispatch({ notebook }: Drive, sessions: readonly Session[]) {
  const free = [...sessions];
  const waiting: number[] = [];
  const working = new Set<Promise<void>>();
  let underWay = 0;
  let failure: Error | undefined;

  const drop = (): void => {
    while (waiting[0] !== undefined && performance.now() - waiting[0] > patienceMs) {
      waiting.shift();
      notebook.dropped();
    }
  };
  const work = async (session: Session): Promise<void> => {
    for (drop(); waiting[0] !== undefined; drop()) {
      const lateMs = performance.now() - waiting[0];
      waiting.shift();
      notebook.sentLate(lateMs);
      underWay += 1;
      await session.send(lateMs);
      underWay -= 1;
    }
    free.push(session);
  };
  const assertWorking = (): void => {
    if (failure) throw failure;
  };
  return {
    /** @throws when the client's own machine was at its limits */
    arrive: (dueMs: number): void => {
      assertWorking();
      notebook.arrived();
      waiting.push(dueMs);
      drop();
      const session = free.shift();
      if (session === undefined) return;
      const turn = work(session);
      working.add(turn);
      void turn.catch((err: Error) => (failure = err)).finally(() => working.delete(turn));
    },
    /** Once nothing waits. @returns how many requests are without an outcome all the same */
    settled: async (): Promise<number> => {
      while (working.size > 0) await Promise.allSettled(working);
      assertWorking();
      return underWay;
    },
  };
}
