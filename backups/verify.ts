import type { PostgresSettings } from '#lib/settings.ts';
import type { BackupDeps } from './deps.ts';
import { isMissingDatabase, openSession, type Session } from './postgres/connection.ts';
import { restoreInto } from './postgres/restore.ts';
import { mayRestoreRoles } from './postgres/privileges.ts';
import { findDamage, findSet, type BackupSet } from './set/catalogue.ts';
import { withLockedFolder } from './set/folder-lock.ts';
import type { SetStore } from './set/store.ts';

export type VerifyResult = {
  readonly id: string;
  readonly ok: boolean;
  /** One line each, beginning with the file, table or object at fault; empty when `ok`. */
  readonly reasons: readonly string[];
  /** What was not compared, and why. */
  readonly notices: readonly string[];
  /** What the restore took: the measured recovery time. Absent when it was not reached. */
  readonly restoreMs?: number;
};

/**
 * Proves a set: its files are as written, and restored into a scratch database they give what the snapshot held, rows
 * and schema. The outcome is stored in the set's manifest. A fault that is not the set's own, such as a server that goes
 * away, is thrown and changes nothing.
 * @param which an id, or `latest`: the newest regular set of the database
 * @throws {BusyError} · {UnreachableError} · {BackupNotFoundError} · {BackupRefusedError} · {BackupCanceledError}
 */
export function verifyBackup(deps: BackupDeps, which: string): Promise<VerifyResult> {
  return withLockedFolder(deps, 'verify', async (store) => {
    const set = findSet(await store.read(), which, deps.postgres.POSTGRES_DB);
    if ('reason' in set) return { id: set.id, ok: false, reasons: [set.reason], notices: [] };
    return verifySet(deps, store, set);
  });
}

type Proof = Pick<VerifyResult, 'reasons' | 'notices' | 'restoreMs'>;

async function verifySet(deps: BackupDeps, store: SetStore, set: BackupSet): Promise<VerifyResult> {
  const startedAt = performance.now();
  const damage = await findDamage(set, deps);
  const proof: Proof = damage.length > 0 ? { reasons: damage, notices: [] } : await proveByRestore(deps, set);
  const ok = proof.reasons.length === 0;
  await store.rewrite(set, {
    ...set.manifest,
    state: ok ? 'verified' : 'failed',
    verification: {
      at: deps.now().toISOString(),
      durationMs: Math.round(performance.now() - startedAt),
      ...(proof.restoreMs === undefined ? {} : { restoreMs: proof.restoreMs }),
      reasons: [...proof.reasons],
    },
  });
  return { id: set.id, ok, ...proof };
}

async function proveByRestore(deps: BackupDeps, set: BackupSet): Promise<Proof> {
  const server = await openServer(deps.postgres);
  try {
    const scope = (await mayRestoreRoles(server.client, set.manifest.roles)) ? 'proof' : 'data';
    return await restoreInto(server, { set, deps, scope }, ({ differences, notices, restoreMs }) =>
      Promise.resolve({ reasons: differences, notices, ...(restoreMs === undefined ? {} : { restoreMs }) }),
    );
  } finally {
    await server.close();
  }
}

/** The server of the backed-up database; where that database is gone, by way of `postgres`. */
async function openServer(settings: PostgresSettings): Promise<Session> {
  try {
    return await openSession(settings);
  } catch (err) {
    if (!isMissingDatabase(err)) throw err;
    return openSession({ ...settings, POSTGRES_DB: 'postgres' });
  }
}
