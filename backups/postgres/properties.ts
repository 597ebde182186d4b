import type { Client } from 'pg';
import { messageOf } from '#lib/errors.ts';
import { BackupFailedError } from '../errors.ts';
import type { DatabaseLocale, DatabaseProperties } from '../set/manifest.ts';
import type { RestoreScope } from './commands.ts';

/** What belongs to a database as a whole: no dump of its content brings it back. */
export type DatabaseDescription = { readonly locale: DatabaseLocale; readonly properties: DatabaseProperties };

/** @param client may be connected to any database of the server */
export async function describeDatabase(client: Client, name: string): Promise<DatabaseDescription> {
  const { rows } = await client.query<DescriptionRow>(descriptionSql, [name]);
  const row = rows[0];
  if (!row) throw new BackupFailedError(`the server does not describe the database "${name}"`);
  const { encoding, collate, ctype, provider, locale, owner, limit, comment, grants, settings } = row;
  return {
    locale: { encoding, collate, ctype, provider, ...(locale === null ? {} : { name: locale }) },
    properties: {
      owner,
      connectionLimit: limit,
      ...(comment === null ? {} : { comment }),
      ...(grants === null ? {} : { grants }),
      settings: settings.map(({ role, name: setting, value }) => ({ ...(role === null ? {} : { role }), name: setting, value })),
    },
  };
}

type DescriptionRow = Pick<DatabaseLocale, 'encoding' | 'collate' | 'ctype' | 'provider'> & {
  readonly locale: string | null;
  readonly owner: string;
  readonly limit: number;
  readonly comment: string | null;
  readonly grants: NonNullable<DatabaseProperties['grants']> | null;
  readonly settings: readonly { readonly role: string | null; readonly name: string; readonly value: string }[];
};

/** Column names of the catalogue differ by version: daticulocale in 15 and 16, datlocale from 17. */
const descriptionSql = `
  SELECT pg_encoding_to_char(d.encoding) AS encoding, d.datcollate AS collate, d.datctype AS ctype,
         CASE to_jsonb(d) ->> 'datlocprovider' WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END AS provider,
         coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') AS locale,
         pg_get_userbyid(d.datdba) AS owner, d.datconnlimit AS limit, shobj_description(d.oid, 'pg_database') AS comment,
         CASE WHEN d.datacl IS NOT NULL THEN coalesce((
           SELECT jsonb_agg(jsonb_build_object('to', CASE a.grantee WHEN 0 THEN NULL ELSE pg_get_userbyid(a.grantee) END,
                                               'privilege', a.privilege_type, 'isGrantable', a.is_grantable AND a.grantee <> d.datdba)
                            ORDER BY a.grantee <> 0, pg_get_userbyid(a.grantee), a.privilege_type)
           FROM aclexplode(d.datacl) AS a), '[]') END AS grants,
         coalesce((
           SELECT jsonb_agg(jsonb_build_object('role', CASE s.setrole WHEN 0 THEN NULL ELSE pg_get_userbyid(s.setrole) END,
                                               'name', split_part(one, '=', 1), 'value', substr(one, strpos(one, '=') + 1))
                            ORDER BY s.setrole <> 0, pg_get_userbyid(s.setrole), split_part(one, '=', 1))
           FROM pg_db_role_setting s, unnest(s.setconfig) AS one WHERE s.setdatabase = d.oid), '[]') AS settings
  FROM pg_database d WHERE d.datname = $1`;

/**
 * Gives a database the properties of another. The owner comes last, since it may not be the role that runs this.
 * @param scope `data` leaves out what names a role
 * @throws {BackupFailedError} naming what could not be set
 */
export async function applyProperties(client: Client, name: string, properties: DatabaseProperties, scope: RestoreScope): Promise<void> {
  for (const step of stepsTo(client, name, properties, scope)) {
    try {
      await client.query('BEGIN');
      // FROM CURRENT takes a value over as it is: settings that are lists cannot be quoted by rule.
      if (step.setting) await client.query('SELECT set_config($1, $2, true)', [step.setting.name, step.setting.value]);
      await client.query(step.sql);
      await client.query('COMMIT');
    } catch (err) {
      await client.query('ROLLBACK');
      const cure = 'restore as a superuser, or with --no-owner, which leaves out what names a role';
      throw new BackupFailedError(`${step.what} could not be set: ${messageOf(err)}; ${cure}`, { cause: err });
    }
  }
}

type Step = { readonly what: string; readonly sql: string; readonly setting?: { readonly name: string; readonly value: string } };

function stepsTo(client: Client, name: string, properties: DatabaseProperties, scope: RestoreScope): Step[] {
  const quote = (text: string): string => client.escapeIdentifier(text);
  const database = quote(name);
  const { owner, grants, settings, connectionLimit, comment } = properties;
  const settingSteps = settings.map(({ role, name: setting, value }) => {
    const whose = role === undefined ? `ALTER DATABASE ${database}` : `ALTER ROLE ${quote(role)} IN DATABASE ${database}`;
    const what = `setting ${setting}${role === undefined ? '' : ` of role ${role}`}`;
    return { role, what, sql: `${whose} SET ${quote(setting)} FROM CURRENT`, setting: { name: setting, value } };
  });
  const grantSteps = (grants ?? []).map(({ to, privilege, isGrantable }) => {
    const whom = to === null ? 'PUBLIC' : quote(to);
    const sql = `GRANT ${privilege} ON DATABASE ${database} TO ${whom}${isGrantable ? ' WITH GRANT OPTION' : ''}`;
    return { what: `grant of ${privilege} to ${whom}`, sql };
  });
  return [
    ...settingSteps.filter(({ role }) => role === undefined),
    ...(connectionLimit === -1
      ? []
      : [{ what: 'connection limit', sql: `ALTER DATABASE ${database} CONNECTION LIMIT ${connectionLimit}` }]),
    ...(comment === undefined ? [] : [{ what: 'comment', sql: `COMMENT ON DATABASE ${database} IS ${client.escapeLiteral(comment)}` }]),
    ...(scope === 'data'
      ? []
      : [
          ...settingSteps.filter(({ role }) => role !== undefined),
          ...(grants ? [{ what: 'grants', sql: `REVOKE ALL ON DATABASE ${database} FROM PUBLIC, CURRENT_USER` }] : []),
          ...grantSteps,
          { what: 'owner', sql: `ALTER DATABASE ${database} OWNER TO ${quote(owner)}` },
        ]),
  ];
}

/** The roles that properties name, without the system's own. Pure. */
export function rolesIn({ owner, grants = [], settings }: DatabaseProperties): string[] {
  const names = [owner, ...grants.map(({ to }) => to ?? ''), ...settings.map(({ role }) => role ?? '')];
  return names.filter((name) => name !== '' && !name.startsWith('pg_'));
}

/** Properties as items to compare. Pure. */
export function itemsOf({ locale, properties }: DatabaseDescription): Record<string, string> {
  const { owner, grants, settings, connectionLimit, comment } = properties;
  return Object.fromEntries([
    ['encoding of the database', locale.encoding],
    ['locale of the database', [locale.provider, locale.collate, locale.ctype, locale.name ?? ''].join(' ').trim()],
    ['owner of the database', owner],
    ['connection limit of the database', String(connectionLimit)],
    ...(comment === undefined ? [] : [['comment on the database', comment]]),
    ...settings.map(({ role, name, value }) => [
      `setting ${name} of ${role === undefined ? 'the database' : `role ${role} in the database`}`,
      value,
    ]),
    ...(grants ?? defaultGrants(owner)).map(({ to, privilege, isGrantable }) => [
      `grant of ${privilege} on the database to ${to ?? 'PUBLIC'}`,
      isGrantable ? 'with grant option' : '',
    ]),
  ]) as Record<string, string>;
}

/** What a server grants on a new database. @see https://www.postgresql.org/docs/current/ddl-priv.html */
function defaultGrants(owner: string): NonNullable<DatabaseProperties['grants']> {
  const grants = [
    ...['CONNECT', 'TEMPORARY'].map((one) => [null, one] as const),
    ...['CREATE', 'CONNECT', 'TEMPORARY'].map((one) => [owner, one] as const),
  ];
  return grants.map(([to, privilege]) => ({ to, privilege, isGrantable: false }));
}
