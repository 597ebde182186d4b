import type { Client } from 'pg';

/** Catalogues whose objects have an owner and, where a letter stands for acldefault(), grants. Columns: oid, owner, grants. */
const owned: readonly (readonly [catalogue: string, owner: string, acl: string | undefined, letter: string, where: string])[] = [
  [
    'pg_class',
    'relowner',
    'relacl',
    `CASE x.relkind WHEN 'S' THEN 's'::"char" ELSE 'r'::"char" END`,
    `x.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')`,
  ],
  ['pg_proc', 'proowner', 'proacl', `'f'`, 'true'],
  ['pg_namespace', 'nspowner', 'nspacl', `'n'`, 'true'],
  // Types that come with a table, or arrays, follow what they belong to.
  [
    'pg_type',
    'typowner',
    'typacl',
    `'T'`,
    `x.typtype IN ('b', 'd', 'e', 'r', 'c') AND x.typelem = 0 AND (x.typrelid = 0 OR (SELECT relkind = 'c' FROM pg_class WHERE oid = x.typrelid))`,
  ],
  ['pg_language', 'lanowner', 'lanacl', `'l'`, 'true'],
  ['pg_foreign_data_wrapper', 'fdwowner', 'fdwacl', `'F'`, 'true'],
  ['pg_foreign_server', 'srvowner', 'srvacl', `'S'`, 'true'],
  ['pg_largeobject_metadata', 'lomowner', 'lomacl', `'L'`, 'true'],
  ['pg_operator', 'oprowner', undefined, '', 'true'],
  ['pg_opclass', 'opcowner', undefined, '', 'true'],
  ['pg_opfamily', 'opfowner', undefined, '', 'true'],
  ['pg_collation', 'collowner', undefined, '', 'true'],
  ['pg_conversion', 'conowner', undefined, '', 'true'],
  ['pg_ts_config', 'cfgowner', undefined, '', 'true'],
  ['pg_ts_dict', 'dictowner', undefined, '', 'true'],
  ['pg_statistic_ext', 'stxowner', undefined, '', 'true'],
  ['pg_event_trigger', 'evtowner', undefined, '', 'true'],
  ['pg_publication', 'pubowner', undefined, '', 'true'],
];

/** Made by users, and no part of an extension. */
const isOfUsers = (catalogue: string): string => {
  const classOf = catalogue === 'pg_largeobject_metadata' ? 'pg_largeobject' : catalogue;
  const isOwn = catalogue === 'pg_namespace' ? `(x.oid >= 16384 OR x.nspname = 'public') AND x.nspname !~ '^pg_'` : 'x.oid >= 16384';
  return `${isOwn} AND i.schema IS DISTINCT FROM 'pg_toast' AND i.schema !~ '^pg_temp' IS NOT FALSE
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '${classOf}'::regclass AND e.objid = x.oid AND e.deptype = 'e')`;
};

/** Grants in one order and one wording. What is not granted explicitly is granted by default. */
const aclText = (acl: string): string => `(
  SELECT coalesce(string_agg(format('%s: %s%s by %s', CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee) END, a.privilege_type,
                                    CASE WHEN a.is_grantable THEN ' with grant option' ELSE '' END, pg_get_userbyid(a.grantor)), ', '
                             ORDER BY a.grantee <> 0, pg_get_userbyid(a.grantee), a.privilege_type, pg_get_userbyid(a.grantor)), 'none')
  FROM aclexplode(${acl}) AS a)`;

const objects = owned
  .map(([catalogue, owner, acl, letter, where]) => {
    const classOf = catalogue === 'pg_largeobject_metadata' ? 'pg_largeobject' : catalogue;
    const from = `FROM ${catalogue} x, pg_identify_object('${classOf}'::regclass, x.oid, 0) AS i WHERE (${where}) AND ${isOfUsers(catalogue)}`;
    const owners = `SELECT format('owner of %s %s', i.type, i.identity) AS name, pg_get_userbyid(x.${owner})::text AS definition ${from}`;
    if (acl === undefined) return owners;
    return `${owners} UNION ALL SELECT format('grants on %s %s', i.type, i.identity), ${aclText(`coalesce(x.${acl}, acldefault(${letter}, x.${owner}))`)} ${from}`;
  })
  .join(' UNION ALL ');

const columns = `
  SELECT format('grants on column %s.%I', c.oid::regclass, x.attname), ${aclText('x.attacl')}
  FROM pg_attribute x JOIN pg_class c ON c.oid = x.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE x.attacl IS NOT NULL AND c.oid >= 16384 AND n.nspname !~ '^pg_' AND NOT x.attisdropped`;

const defaults = `
  SELECT format('default grants of %s%s on %s', pg_get_userbyid(d.defaclrole), ' in schema ' || (SELECT nspname FROM pg_namespace WHERE oid = d.defaclnamespace),
                CASE d.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions' WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' ELSE 'large objects' END),
         ${aclText('d.defaclacl')}
  FROM pg_default_acl d`;

/** Owners, grants and default grants, by names such as `grants on table public.orders`. */
export async function readPrivileges(client: Client): Promise<Record<string, string>> {
  const { rows } = await client.query<{ name: string; definition: string }>([objects, columns, defaults].join(' UNION ALL '));
  return Object.fromEntries(rows.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(({ name, definition }) => [name, definition]));
}

/** Those of some roles that the server does not have. */
export async function missingRoles(client: Client, roles: readonly string[]): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    'SELECT name FROM unnest($1::text[]) AS name WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name)',
    [[...roles]],
  );
  return rows.map((row) => row.name);
}

/** Whether objects can be given to these roles: all are there, and only a superuser may act for each of them. */
export async function mayRestoreRoles(client: Client, roles: readonly string[]): Promise<boolean> {
  const { rows } = await client.query<{ may: boolean }>('SELECT rolsuper AS may FROM pg_roles WHERE rolname = current_user');
  return rows[0]?.may === true && (await missingRoles(client, roles)).length === 0;
}
