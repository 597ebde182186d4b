import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '#lib/errors.ts';
import type { VirtualClient } from '../../generate/virtual-user.ts';
import type { ServerBooks } from '../../measurement/measurement.ts';
import { createHttpClient } from '../../targets/http-client.ts';
import { countOrders } from './clients.ts';
import type { Target } from '../../targets/target.ts';
import type { Observers } from '../../observe/sample-server.ts';

/** A request given up by the client may go on in the server until its own timeouts end it. */
const quietWithinMs = 10_000;

export type RunTraces = {
  readonly clients: readonly VirtualClient[];
  /** What the API had counted when the run began; undefined when unknown. */
  readonly servedBefore: number | undefined;
};

/** Waits until the server is at rest, at most 10 s, and reads what it has on its books. */
export async function readBooks(target: Target, { clients, servedBefore }: RunTraces, observers: Observers): Promise<ServerBooks> {
  const notes: string[] = [];
  const rest = await waitForRest(observers);
  const servedAfter = target.kind === 'own' ? await observers.admin.requestsServed() : undefined;
  const ledger = await observers.database.ledger();
  const ordersStored = await storedOrders(target, clients).catch((err: unknown) => {
    notes.push(messageOf(err));
    return null;
  });
  if (ledger === undefined) notes.push(target.postgres ? 'the database could not be read' : 'no access to the database: set POSTGRES_HOST');
  if (rest.connectionsInUse === null)
    notes.push(target.admin ? 'the admin listener told nothing' : 'no access to the admin listener: set ADMIN_TOKEN');
  return {
    ordersStored,
    ledgerMismatches: ledger?.mismatches ?? null,
    negativeStock: ledger?.negative ?? null,
    ...rest,
    requestsServed: servedBefore === undefined || servedAfter === undefined ? null : servedAfter - servedBefore,
    notes,
  };
}

async function storedOrders(target: Target, clients: readonly VirtualClient[]): Promise<number> {
  const http = createHttpClient(target.origin);
  try {
    return await countOrders(http, clients);
  } finally {
    await http.close();
  }
}

async function waitForRest({ admin, database }: Observers): Promise<Pick<ServerBooks, 'connectionsInUse' | 'openTransactions'>> {
  for (const endsMs = performance.now() + quietWithinMs; ; await sleep(200)) {
    const [pool, backends] = await Promise.all([admin.pool(), database.backends()]);
    const [connectionsInUse, openTransactions] = [pool?.inUse ?? null, backends?.idleInTransaction ?? null];
    const isAtRest = (connectionsInUse ?? 0) === 0 && (openTransactions ?? 0) === 0;
    if (isAtRest || performance.now() > endsMs) return { connectionsInUse, openTransactions };
  }
}
