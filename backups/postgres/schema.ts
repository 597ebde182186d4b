import type { Client } from 'pg';

/*
 * Everything a schema holds, as names and definitions: one list, since PostgreSQL keeps each kind of object in a catalogue
 * of its own. https://www.postgresql.org/docs/current/catalogs.html
 */

/** Neither the system's own, nor temporary, nor part of an extension, whose content comes with CREATE EXTENSION. */
export const isUsers = `n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relpersistence <> 't'
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')`;

/** The same for an object of another catalogue, by its schema. */
const isUsersIn = (catalogue: string, oid: string): string => `n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
  AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '${catalogue}'::regclass AND e.objid = ${oid} AND e.deptype = 'e')`;

const isNoMember = (catalogue: string, oid: string): string =>
  `${oid} >= 16384 AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '${catalogue}'::regclass AND e.objid = ${oid} AND e.deptype = 'e')`;

const relation = `pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace`;
const nameOf = `format('%I.%I', n.nspname, c.relname)`;
const kindOf = `CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
  WHEN 'S' THEN 'sequence' WHEN 'f' THEN 'foreign table' WHEN 'c' THEN 'type' END`;
/** Joins what there is of some words by a space. */
const words = (...parts: string[]): string => `concat_ws(' ', ${parts.join(', ')})`;
const when = (condition: string, text: string): string => `CASE WHEN ${condition} THEN ${text} END`;
const options = (list: string, name = 'with'): string =>
  `'${name} (' || (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(${list}) AS o) || ')'`;

const relations = `
  SELECT ${kindOf} || ' ' || ${nameOf} AS name, ${words(
    when(`c.relpersistence = 'u'`, `'unlogged'`),
    `(SELECT 'using ' || amname FROM pg_am WHERE oid = c.relam AND amname <> 'heap')`,
    `'partitioned by ' || pg_get_partkeydef(c.oid)`,
    `(SELECT 'inherits ' || string_agg(inhparent::regclass::text, ', ' ORDER BY inhseqno) FROM pg_inherits WHERE inhrelid = c.oid)`,
    `pg_get_expr(c.relpartbound, c.oid)`,
    when(`c.reloftype <> 0`, `'of ' || c.reloftype::regtype`),
    options('c.reloptions'),
    when(`c.relreplident <> 'd' AND c.relkind IN ('r', 'p')`, `'replica identity ' || c.relreplident::text`),
    when(`c.relkind IN ('v', 'm')`, `pg_get_viewdef(c.oid)`),
    when(`c.relkind = 'm' AND NOT c.relispopulated`, `'with no data'`),
    `(SELECT 'server ' || s.srvname || coalesce(' ' || f.ftoptions::text, '') FROM pg_foreign_table f JOIN pg_foreign_server s ON s.oid = f.ftserver WHERE f.ftrelid = c.oid)`,
    `(SELECT concat_ws(' ', format_type(q.seqtypid, NULL), 'start', q.seqstart, 'by', q.seqincrement, 'from', q.seqmin, 'to', q.seqmax, 'cache', q.seqcache, CASE WHEN q.seqcycle THEN 'cycle' END)
      FROM pg_sequence q WHERE q.seqrelid = c.oid)`,
    `(SELECT format('owned by %s.%I', d.refobjid::regclass, a.attname) FROM pg_depend d JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
      WHERE c.relkind = 'S' AND d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i'))`,
  )} AS definition
  FROM ${relation} WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f', 'c') AND ${isUsers}
  UNION ALL
  SELECT 'row security on table ' || ${nameOf}, ${words(when('c.relrowsecurity', `'enabled'`), when('c.relforcerowsecurity', `'forced'`))}
  FROM ${relation} WHERE (c.relrowsecurity OR c.relforcerowsecurity) AND ${isUsers}`;

/** Of a column's options only those that can be set: a server may note others of its own there. */
const columns = `
  SELECT format('column %s.%I', ${nameOf}, a.attname), ${words(
    `'#' || row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum)`,
    `format_type(a.atttypid, a.atttypmod)`,
    when('a.attnotnull', `'not null'`),
    `(SELECT format('collate %I.%I', k.nspname, l.collname) FROM pg_collation l JOIN pg_namespace k ON k.oid = l.collnamespace WHERE l.oid = a.attcollation AND a.attcollation <> t.typcollation)`,
    `CASE a.attgenerated WHEN '' THEN 'default ' ELSE 'generated ' END || pg_get_expr(d.adbin, d.adrelid)`,
    `CASE a.attidentity WHEN 'a' THEN 'identity always' WHEN 'd' THEN 'identity by default' END`,
    when(`c.relkind <> 'v' AND c.relkind <> 'c' AND a.attstorage <> t.typstorage`, `'storage ' || a.attstorage::text`),
    when(`a.attcompression <> ''`, `'compression ' || a.attcompression::text`),
    when(`coalesce(a.attstattarget, -1) >= 0`, `'statistics ' || a.attstattarget`),
    `'with (' || (SELECT string_agg(o, ', ' ORDER BY o) FROM unnest(a.attoptions) AS o WHERE o LIKE 'n_distinct%') || ')'`,
    options('a.attfdwoptions', 'options'),
  )}
  FROM ${relation} JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
  WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') AND ${isUsers}`;

/** An index that is being built, or whose build failed, is in no dump; one that backs a constraint is named by that. */
const indexes = `
  SELECT format('index %I.%I', n.nspname, ic.relname), ${words(
    `pg_get_indexdef(i.indexrelid)`,
    when('i.indisclustered', `'clustered'`),
    when('i.indisreplident', `'replica identity'`),
    `(SELECT 'attached to ' || inhparent::regclass FROM pg_inherits WHERE inhrelid = i.indexrelid)`,
    `(SELECT 'statistics ' || string_agg(a.attnum || '=' || a.attstattarget, ', ' ORDER BY a.attnum) FROM pg_attribute a WHERE a.attrelid = i.indexrelid AND a.attstattarget >= 0)`,
  )}
  FROM pg_index i JOIN pg_class ic ON ic.oid = i.indexrelid JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE (i.indisvalid OR c.relkind = 'p') AND i.indisready AND ${isUsers}
    AND NOT EXISTS (SELECT FROM pg_constraint x WHERE x.conindid = i.indexrelid AND x.conrelid = c.oid AND x.contype IN ('p', 'u', 'x'))`;

const constraintKind = `CASE o.contype WHEN 'p' THEN 'primary key' WHEN 'u' THEN 'unique constraint' WHEN 'f' THEN 'foreign key'
  WHEN 'x' THEN 'exclusion constraint' ELSE 'check' END`;

const constraints = `
  SELECT format('%s %I on table %s', ${constraintKind}, o.conname, ${nameOf}), ${words(
    `pg_get_constraintdef(o.oid)`,
    `(SELECT 'clustered' FROM pg_index i WHERE i.indexrelid = o.conindid AND i.indrelid = c.oid AND i.indisclustered)`,
    `(SELECT 'replica identity' FROM pg_index i WHERE i.indexrelid = o.conindid AND i.indrelid = c.oid AND i.indisreplident)`,
  )}
  FROM ${relation} JOIN pg_constraint o ON o.conrelid = c.oid WHERE o.contype IN ('p', 'u', 'f', 'x', 'c') AND ${isUsers}
  UNION ALL
  SELECT format('check %I on domain %I.%I', o.conname, n.nspname, t.typname), pg_get_constraintdef(o.oid)
  FROM pg_constraint o JOIN pg_type t ON t.oid = o.contypid JOIN pg_namespace n ON n.oid = t.typnamespace
  WHERE o.contype = 'c' AND ${isUsersIn('pg_type', 't.oid')}`;

const onTables = `
  SELECT format('trigger %I on table %s', g.tgname, ${nameOf}), pg_get_triggerdef(g.oid) || CASE g.tgenabled WHEN 'O' THEN '' ELSE ' enabled ' || g.tgenabled::text END
  FROM ${relation} JOIN pg_trigger g ON g.tgrelid = c.oid WHERE NOT g.tgisinternal AND ${isUsers}
  UNION ALL
  SELECT format('rule %I on %s', r.rulename, ${nameOf}), pg_get_ruledef(r.oid) || CASE r.ev_enabled WHEN 'O' THEN '' ELSE ' enabled ' || r.ev_enabled::text END
  FROM ${relation} JOIN pg_rewrite r ON r.ev_class = c.oid WHERE r.rulename <> '_RETURN' AND ${isUsers}
  UNION ALL
  SELECT format('policy %I on table %s', p.polname, ${nameOf}), ${words(
    `CASE WHEN p.polpermissive THEN 'permissive' ELSE 'restrictive' END`,
    `'for ' || p.polcmd::text`,
    `'to ' || (SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(r) END, ', ' ORDER BY pg_get_userbyid(r)) FROM unnest(p.polroles) AS r)`,
    `'using ' || pg_get_expr(p.polqual, p.polrelid)`,
    `'with check ' || pg_get_expr(p.polwithcheck, p.polrelid)`,
  )}
  FROM ${relation} JOIN pg_policy p ON p.polrelid = c.oid WHERE ${isUsers}
  UNION ALL
  SELECT format('statistics %I.%I', n.nspname, s.stxname), pg_get_statisticsobjdef(s.oid)
  FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace WHERE ${isUsersIn('pg_statistic_ext', 's.oid')}`;

const routines = `
  SELECT format('%s %I.%I(%s)', CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END, n.nspname, p.proname, pg_get_function_identity_arguments(p.oid)),
         CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) ELSE (
           SELECT concat_ws(' ', pg_get_function_result(p.oid), a.aggkind, a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn,
                            a.aggsortop::regoperator, format_type(a.aggtranstype, NULL), a.agginitval, a.aggminitval, p.proparallel)
           FROM pg_aggregate a WHERE a.aggfnoid = p.oid) END
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE ${isUsersIn('pg_proc', 'p.oid')}`;

/** Types that come with a table, or with a type of their own (arrays, multiranges), are named by that. */
const types = `
  SELECT format('%s %I.%I', CASE t.typtype WHEN 'd' THEN 'domain' ELSE 'type' END, n.nspname, t.typname), ${words(
    `CASE t.typtype WHEN 'e' THEN 'enum ' || (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid)
       WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod)
       WHEN 'r' THEN (SELECT 'range of ' || format_type(r.rngsubtype, NULL) || ' ' || concat_ws(' ', r.rngcanonical, r.rngsubdiff) FROM pg_range r WHERE r.rngtypid = t.oid)
       ELSE concat_ws(' ', t.typinput, t.typoutput, t.typlen, t.typalign, t.typstorage) END`,
    when('t.typnotnull', `'not null'`),
    `'default ' || t.typdefault`,
    `(SELECT 'collate ' || l.collname FROM pg_collation l JOIN pg_type b ON b.oid = t.typbasetype WHERE t.typtype = 'd' AND l.oid = t.typcollation AND b.typcollation <> t.typcollation)`,
  )}
  FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
  WHERE t.typtype IN ('b', 'd', 'e', 'r') AND t.typelem = 0 AND ${isUsersIn('pg_type', 't.oid')}
  UNION ALL
  SELECT format('collation %I.%I', n.nspname, l.collname), ${words('l.collprovider', 'l.collcollate', 'l.collctype', `coalesce(to_jsonb(l) ->> 'colllocale', to_jsonb(l) ->> 'colliculocale')`, when('NOT l.collisdeterministic', `'nondeterministic'`))}
  FROM pg_collation l JOIN pg_namespace n ON n.oid = l.collnamespace WHERE ${isUsersIn('pg_collation', 'l.oid')}`;

const ofTheDatabase = `
  SELECT format('schema %I', n.nspname), '' FROM pg_namespace n WHERE ${isUsersIn('pg_namespace', 'n.oid')}
  UNION ALL
  SELECT format('extension %I', x.extname), format('in schema %I', n.nspname) FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace
  UNION ALL
  SELECT format('event trigger %I', v.evtname), ${words('v.evtevent', `v.evtfoid::regprocedure`, 'v.evtenabled', `v.evttags::text`)}
  FROM pg_event_trigger v WHERE ${isNoMember('pg_event_trigger', 'v.oid')}
  UNION ALL
  SELECT format('publication %I', b.pubname), ${words(
    when('b.puballtables', `'for all tables'`),
    `concat('insert ', b.pubinsert, ', update ', b.pubupdate, ', delete ', b.pubdelete, ', truncate ', b.pubtruncate, ', via root ', b.pubviaroot)`,
    `'tables ' || (SELECT string_agg(concat_ws(' ', r.prrelid::regclass, r.prattrs, pg_get_expr(r.prqual, r.prrelid)), ', ' ORDER BY r.prrelid::regclass::text) FROM pg_publication_rel r WHERE r.prpubid = b.oid)`,
    `'schemas ' || (SELECT string_agg(s.pnnspid::regnamespace::text, ', ' ORDER BY s.pnnspid::regnamespace::text) FROM pg_publication_namespace s WHERE s.pnpubid = b.oid)`,
  )}
  FROM pg_publication b
  UNION ALL
  SELECT format('cast %s to %s', format_type(k.castsource, NULL), format_type(k.casttarget, NULL)), ${words('k.castcontext', 'k.castmethod', `nullif(k.castfunc, 0)::regprocedure`)}
  FROM pg_cast k WHERE ${isNoMember('pg_cast', 'k.oid')}`;

/** Kinds that a shop hardly has: that they are there is what is compared. */
const rare = [
  'pg_operator',
  'pg_opclass',
  'pg_opfamily',
  'pg_conversion',
  'pg_ts_config',
  'pg_ts_dict',
  'pg_ts_parser',
  'pg_ts_template',
  'pg_language',
  'pg_foreign_data_wrapper',
  'pg_foreign_server',
  'pg_transform',
  'pg_am',
]
  .map(
    (catalogue) => `SELECT i.type || ' ' || i.identity, '' FROM ${catalogue} x, pg_identify_object('${catalogue}'::regclass, x.oid, 0) AS i
      WHERE ${isNoMember(catalogue, 'x.oid')}`,
  )
  .join(' UNION ALL ');

/** The comment of an extension comes with it; one on the schema public may have been changed. */
const comments = `
  SELECT format('comment on %s %s', i.type, i.identity), d.description
  FROM pg_description d, pg_identify_object(d.classoid, d.objoid, d.objsubid) AS i
  WHERE (d.objoid >= 16384 OR (d.classoid = 'pg_namespace'::regclass AND d.objoid = to_regnamespace('public')))
    AND i.type <> 'extension' AND i.schema IS DISTINCT FROM 'pg_toast'
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = d.classoid AND e.objid = d.objoid AND e.deptype = 'e')`;

/** All objects of users and their definitions, by names such as `index public.orders_client_idx`. */
export async function readSchema(client: Client): Promise<Record<string, string>> {
  const sql = [relations, columns, indexes, constraints, onTables, routines, types, ofTheDatabase, rare, comments].join(' UNION ALL ');
  const { rows } = await client.query<{ name: string; definition: string | null }>(sql);
  return Object.fromEntries(rows.toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(({ name, definition }) => [name, definition ?? '']));
}
