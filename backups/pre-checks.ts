import { constants } from 'node:fs';
import { access, mkdir, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Client } from 'pg';
import { messageOf } from '#lib/errors.ts';
import { sizeOf, type Catalogue } from './set/catalogue.ts';
import { BackupRefusedError } from './errors.ts';

/**
 * Makes the backup folder (mode 0700) where it is missing.
 * @throws {BackupRefusedError} `directory-not-writable`.
 */
export async function requireWritableDirectory(dir: string): Promise<void> {
  try {
    await makeDirectory(dir);
    await access(dir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (err) {
    throw new BackupRefusedError('directory-not-writable', `backup folder ${dir} is not writable: ${messageOf(err)}; check BACKUP_DIR`, {
      cause: err,
    });
  }
}

/** One level at a time: `recursive` loops for ever in file systems that answer ENOENT for a new name, such as /proc. */
async function makeDirectory(dir: string): Promise<void> {
  const found = await stat(dir).catch(() => undefined);
  if (found?.isDirectory()) return;
  if (dirname(dir) !== dir) await makeDirectory(dirname(dir));
  await mkdir(dir, { mode: 0o700 }).catch((err: unknown) => {
    // Another run may have been quicker; a file of that name stays a fault.
    if (found !== undefined || (err as NodeJS.ErrnoException).code !== 'EEXIST') throw err;
  });
}

/** Kept free beyond what the dump is thought to need, for whatever else writes there meanwhile. */
const reserveBytes = 64 * 1024 * 1024;

/**
 * Free bytes a dump asks for: the last good one and a third, or half the database, whichever is more, and a reserve. Pure.
 * @param lastGoodBytes 0 when there is none
 */
export function spaceNeededBytes(sizes: { readonly databaseBytes: number; readonly lastGoodBytes: number }): number {
  return Math.ceil(Math.max(1.3 * sizes.lastGoodBytes, 0.5 * sizes.databaseBytes)) + reserveBytes;
}

/** @throws {BackupRefusedError} `no-space`, with both figures. */
export async function requireSpace(
  dir: string,
  database: { readonly name: string; readonly bytes: number },
  catalogue: Catalogue,
): Promise<void> {
  const lastGood = catalogue.sets.find(({ manifest }) => manifest.database === database.name && manifest.state !== 'failed');
  const needed = spaceNeededBytes({ databaseBytes: database.bytes, lastGoodBytes: lastGood ? sizeOf(lastGood.manifest) : 0 });
  const { bavail, bsize } = await statfs(dir);
  if (bavail * bsize >= needed) return;
  throw new BackupRefusedError(
    'no-space',
    `${dir} has ${asMiB(bavail * bsize)} free and the backup may need ${asMiB(needed)}; free some space or set BACKUP_DIR to another disk`,
  );
}

const asMiB = (bytes: number): string => `${Math.round(bytes / 1024 / 1024)} MiB`;

/** @throws {BackupRefusedError} `standby`, or `table-not-readable` naming the first such table. */
export async function requireReadableDatabase(client: Client): Promise<void> {
  const { rows } = await client.query<{ standby: boolean }>('SELECT pg_is_in_recovery() AS standby');
  if (rows[0]?.standby) throw new BackupRefusedError('standby', 'the server is a standby in recovery; back up its primary');
  const closed = await client.query<{ name: string; role: string; count: number }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name, current_user AS role, count(*) OVER ()::int AS count
     FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'S') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
       AND (NOT has_schema_privilege(n.oid, 'USAGE')
         OR (c.relkind = 'S' AND NOT has_sequence_privilege(c.oid, 'SELECT'))
         OR (c.relkind <> 'S' AND (NOT has_table_privilege(c.oid, 'SELECT') OR row_security_active(c.oid))))
     ORDER BY 1 LIMIT 1`,
  );
  const first = closed.rows[0];
  if (!first) return;
  const more = first.count > 1 ? ` and ${first.count - 1} more` : '';
  throw new BackupRefusedError(
    'table-not-readable',
    `role "${first.role}" cannot read all of ${first.name}${more}; grant it pg_read_all_data (and BYPASSRLS under row security)`,
  );
}
