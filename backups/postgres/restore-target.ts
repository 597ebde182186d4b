import type { PostgresSettings } from '#lib/settings.ts';
import { isMissingDatabase, openSession } from './connection.ts';
import { BackupRefusedError } from '../errors.ts';
import { countRelations } from './fingerprint.ts';

/** `filled`: it holds relations of users, which a restore would take the place of. */
export type TargetState = 'absent' | 'empty' | 'filled';

/** @throws {BackupRefusedError} `target-not-empty`, unless it may be replaced. */
export async function inspectTarget(target: PostgresSettings, mayReplace: boolean): Promise<TargetState> {
  const count = await countRelationsOf(target);
  if (count === undefined) return 'absent';
  if (count === 0) return 'empty';
  if (mayReplace) return 'filled';
  throw new BackupRefusedError(
    'target-not-empty',
    `database "${target.POSTGRES_DB}" is not empty (${count} relations); choose another --target, or --force to replace it after a safety backup`,
  );
}

/** Undefined when there is no such database. */
export async function countRelationsOf(database: PostgresSettings): Promise<number | undefined> {
  try {
    const session = await openSession(database);
    try {
      return await countRelations(session.client);
    } finally {
      await session.close();
    }
  } catch (err) {
    if (isMissingDatabase(err)) return undefined;
    throw err;
  }
}

/** The name a replaced database is kept under. Names longer than 63 bytes would be cut by the server. */
export function nameOfOld(target: string, now: Date): string {
  const stamp = now
    .toISOString()
    .replaceAll(/[-:]|\.\d{3}/g, '')
    .toLowerCase();
  return `${target.slice(0, 40)}_old_${stamp}`;
}
