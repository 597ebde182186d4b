import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { messageOf } from '#lib/errors.ts';
import { sqlStateOf } from '#lib/postgres.ts';
import { BackupRefusedError } from '../errors.ts';

export type Replacement = {
  /** The new database, already filled. */
  readonly from: string;
  /** The name it takes over; a database of that name exists. */
  readonly target: string;
  /** The name the present one is given. */
  readonly old: string;
  /** Ends the sessions of the present one; without it sessions are a reason to refuse. */
  readonly endSessions: boolean;
};

/**
 * Puts a database in the place of another in one step: clients find the old one or the new one. The old one is kept
 * under `old`. Owner, grants and settings of the database itself, which no dump holds, are carried over.
 * @param client connected to neither of the two
 * @returns notices of what could not be carried over
 * @throws {BackupRefusedError} `target-in-use`, having changed nothing.
 */
export async function replaceDatabase(client: Client, replacement: Replacement): Promise<string[]> {
  const notices = await carryOver(client, replacement.target, replacement.from);
  for (let attempt = 1; ; attempt += 1) {
    const users = await listSessions(client, replacement.target);
    if (users.length > 0 && (!replacement.endSessions || attempt > 10)) throw inUse(replacement.target, users);
    if (await trySwap(client, replacement)) return notices;
    if (attempt > 10) throw inUse(replacement.target, users);
    await sleep(50);
  }
}

/**
 * One transaction, so that a crash leaves the old names. RENAME locks the database against new sessions and then waits
 * up to 5 s for those just ended.
 */
async function trySwap(client: Client, { from, target, old, endSessions }: Replacement): Promise<boolean> {
  const name = (text: string): string => client.escapeIdentifier(text);
  const end = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = ${client.escapeLiteral(target)} AND ${isClient};`;
  try {
    await client.query(
      `BEGIN; ${endSessions ? end : ''} ALTER DATABASE ${name(target)} RENAME TO ${name(old)};
       ALTER DATABASE ${name(from)} RENAME TO ${name(target)}; COMMIT`,
    );
    return true;
  } catch (err) {
    await client.query('ROLLBACK');
    if (sqlStateOf(err) === objectInUse) return false;
    throw err;
  }
}

const objectInUse = '55006';
const isClient = `backend_type = 'client backend'`;

function inUse(target: string, users: readonly string[]): BackupRefusedError {
  const who = [...new Set(users)].join(', ');
  return new BackupRefusedError('target-in-use', `database "${target}" has ${users.length} open sessions (${who}); end them first`);
}

/** Application names of the sessions in a database. */
async function listSessions(client: Client, database: string): Promise<string[]> {
  const { rows } = await client.query<{ application: string }>(
    `SELECT coalesce(nullif(application_name, ''), 'unnamed') AS application FROM pg_stat_activity WHERE datname = $1 AND ${isClient}`,
    [database],
  );
  return rows.map((row) => row.application);
}

async function carryOver(client: Client, source: string, heir: string): Promise<string[]> {
  const notices: string[] = [];
  const { rows } = await client.query<{ what: string; sql: string; name: string | null; value: string | null }>(carryOverSql, [
    source,
    heir,
  ]);
  for (const { what, sql, name, value } of rows) {
    try {
      await client.query('BEGIN');
      // FROM CURRENT takes a value over as it is: settings that are lists cannot be quoted by rule.
      if (name !== null) await client.query('SELECT set_config($1, $2, true)', [name, value]);
      await client.query(sql);
      await client.query('COMMIT');
    } catch (err) {
      await client.query('ROLLBACK');
      notices.push(`${what} of "${source}" was not carried over: ${messageOf(err)}`);
    }
  }
  return notices;
}

/** Statements that make $2 like $1: settings, then grants, then the owner, who may not be the role that runs them. */
const carryOverSql = `
  SELECT format('setting %s', split_part(setting, '=', 1)) AS what,
         format(CASE WHEN s.setrole = 0 THEN 'ALTER DATABASE %2$I SET %3$I FROM CURRENT'
                     ELSE 'ALTER ROLE %1$I IN DATABASE %2$I SET %3$I FROM CURRENT' END,
                pg_get_userbyid(s.setrole), $2::text, split_part(setting, '=', 1)) AS sql,
         split_part(setting, '=', 1) AS name, substr(setting, strpos(setting, '=') + 1) AS value
  FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase, unnest(s.setconfig) AS setting
  WHERE d.datname = $1
  UNION ALL
  SELECT 'grants', format('REVOKE ALL ON DATABASE %I FROM PUBLIC', $2::text), NULL, NULL
  FROM pg_database WHERE datname = $1 AND datacl IS NOT NULL
  UNION ALL
  SELECT 'grants', format('GRANT %s ON DATABASE %I TO %s%s', a.privilege_type, $2::text,
                          CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(a.grantee)) END,
                          CASE WHEN a.is_grantable AND a.grantee <> d.datdba THEN ' WITH GRANT OPTION' ELSE '' END), NULL, NULL
  FROM pg_database d, aclexplode(d.datacl) AS a WHERE d.datname = $1
  UNION ALL
  SELECT 'owner', format('ALTER DATABASE %I OWNER TO %I', $2::text, pg_get_userbyid(datdba)), NULL, NULL
  FROM pg_database WHERE datname = $1`;
