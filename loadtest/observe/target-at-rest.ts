import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TargetAtRest } from '../measurement/measurement.ts';
import type { Target } from '../targets/target.ts';
import type { Observers } from './sample-server.ts';

/** A request given up by the client may go on in the server until its own timeouts end it. */
const quietWithinMs = 10_000;
const askEveryMs = 200;

/**
 * Waits until the target is at rest, at most 10 s, and says what it still holds.
 * @param servedBefore what the API had counted when the run began; undefined when unknown
 */
export async function waitForRest(target: Target, observers: Observers, servedBefore: number | undefined): Promise<TargetAtRest> {
  const held = await whatIsHeld(observers);
  const servedAfter = target.kind === 'own' ? await observers.admin.requestsServed() : undefined;
  const notes: string[] = [];
  if (held.openTransactions === null)
    notes.push(target.postgres ? 'the database could not be read' : 'no access to the database: set POSTGRES_HOST');
  if (held.connectionsInUse === null)
    notes.push(target.admin ? 'the admin listener told nothing' : 'no access to the admin listener: set ADMIN_TOKEN');
  return { ...held, requestsServed: servedBefore === undefined || servedAfter === undefined ? null : servedAfter - servedBefore, notes };
}

type Held = Omit<TargetAtRest, 'requestsServed' | 'notes'>;

async function whatIsHeld({ admin, database }: Observers): Promise<Held> {
  for (const endsMs = performance.now() + quietWithinMs; ; await sleep(askEveryMs)) {
    const [state, backends] = await Promise.all([admin.state(), database.backends()]);
    const [connectionsInUse, openTransactions] = [state?.pool?.inUse ?? null, backends?.idleInTransaction ?? null];
    const isAtRest = (connectionsInUse ?? 0) === 0 && (openTransactions ?? 0) === 0;
    if (!isAtRest && performance.now() <= endsMs) continue;
    const holders = (state?.workers ?? []).flatMap(({ worker, connectionsInUse: inUse }) => (inUse > 0 ? [{ worker, inUse }] : []));
    return { connectionsInUse, openTransactions, holders, openSessions: isAtRest ? [] : await database.openSessions() };
  }
}
