import type { Client } from 'pg';
import type { Fingerprint } from '../set/manifest.ts';
import { readPrivileges } from './privileges.ts';
import { hashTable, listTables, type RowHashing } from './row-hash.ts';
import { isUsers, readSchema } from './schema.ts';

/**
 * Settings that the text form of values depends on. With them, equal data give equal texts on any server, whatever its
 * or the role's own settings are.
 */
const textSettings = `SET LOCAL search_path = pg_catalog; SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, YMD';
  SET LOCAL intervalstyle = 'postgres'; SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex';
  SET LOCAL lc_monetary = 'C'; SET LOCAL xmloption = 'content'; SET LOCAL row_security = off;
  SET LOCAL quote_all_identifiers = off; SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL jit = off`;

/** How many relations of users a database holds; 0 means that nothing is lost with it. */
export async function countRelations(client: Client): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND ${isUsers}`,
  );
  return rows[0]?.count ?? 0;
}

/**
 * Row counts and content hashes of all tables, the sequences, and the whole schema, as the client's open transaction sees
 * them.
 * @param hashing that of the fingerprint it is to be compared with
 */
export async function takeFingerprint(client: Client, hashing: RowHashing = 'columns'): Promise<Fingerprint> {
  await client.query(textSettings);
  const sequences = await readSequences(client);
  const schema = { ...(await readSchema(client)), ...(await readPrivileges(client)), ...(await readLargeObjects(client)) };
  const tables: Fingerprint['tables'] = {};
  for (const table of await listTables(client)) tables[table.name] = await hashTable(client, table, hashing);
  return { ...(hashing === 'text' ? {} : { hashing }), tables, sequences, schema };
}

async function readSequences(client: Client): Promise<Fingerprint['sequences']> {
  const { rows } = await client.query<{ name: string; value: string; increment: string; cycles: boolean }>(
    `SELECT format('%I.%I', s.schemaname, s.sequencename) AS name, coalesce(s.last_value, s.start_value)::text AS value,
            s.increment_by::text AS increment, s.cycle AS cycles
     FROM pg_sequences s JOIN pg_namespace n ON n.nspname = s.schemaname
       JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = s.sequencename
     WHERE ${isUsers} ORDER BY 1`,
  );
  return Object.fromEntries(rows.map(({ name, value, increment, cycles }) => [name, { lastValue: value, increment, cycles }]));
}

/** Large objects are stored in pages that may be absent or end in zeros, which read the same: those count for nothing. */
async function readLargeObjects(client: Client): Promise<Record<string, string>> {
  const { rows } = await client.query<{ oid: string; bytes: string; hash: string }>(
    `SELECT m.oid::text, coalesce(max(p.pageno * 2048::bigint + length(p.data)), 0)::text AS bytes,
            coalesce(sum(hashtextextended(p.pageno || ':' || rtrim(p.data, '\\x00'::bytea)::text, 0)) FILTER (WHERE rtrim(p.data, '\\x00'::bytea) <> ''), 0)::text AS hash
     FROM pg_largeobject_metadata m LEFT JOIN pg_largeobject p ON p.loid = m.oid GROUP BY m.oid ORDER BY m.oid`,
  );
  return Object.fromEntries(rows.map(({ oid, bytes, hash }) => [`large object ${oid}`, `${bytes} bytes, hash ${hash}`]));
}

type ComparisonLimits = {
  /** Leave out what names a role, because it was not restored. */
  readonly withoutRoles: boolean;
  /** Ask only whether a thing is there: servers of different versions word its definition differently. */
  readonly namesOnly: boolean;
};

/** Every difference that a restored copy may not have, one line each beginning with the object. Pure. */
export function compareFingerprints(
  expected: Fingerprint,
  actual: Fingerprint,
  limits: ComparisonLimits = { withoutRoles: false, namesOnly: false },
): string[] {
  return [
    ...compareTables(expected.tables, actual.tables),
    ...compareSequences(expected.sequences, actual.sequences),
    ...(expected.schema ? compareItems(expected.schema, actual.schema ?? {}, limits) : []),
  ];
}

function compareTables(expected: Fingerprint['tables'], actual: Fingerprint['tables']): string[] {
  const names = [...new Set([...Object.keys(expected), ...Object.keys(actual)])];
  return names.flatMap((name) => {
    const [before, after] = [expected[name], actual[name]];
    if (!before) return [`${name}: restored, though the manifest does not name it`];
    if (!after) return [`${name}: missing after the restore`];
    if (before.rows !== after.rows) return [`${name}: ${after.rows} rows restored, ${before.rows} expected`];
    return before.hash === after.hash ? [] : [`${name}: the restored content differs (${before.rows} rows)`];
  });
}

function compareSequences(expected: Fingerprint['sequences'], actual: Fingerprint['sequences']): string[] {
  return Object.entries(expected).flatMap(([name, before]) => {
    const after = actual[name];
    if (!after) return [`${name}: missing after the restore`];
    const moved = BigInt(after.lastValue) - BigInt(before.lastValue);
    const wentBack = BigInt(before.increment) > 0n ? moved < 0n : moved > 0n;
    return wentBack && !before.cycles ? [`${name}: restored at ${after.lastValue}, before ${before.lastValue}`] : [];
  });
}

type Items = Readonly<Record<string, string>>;

/** Differences of two lists of things and their definitions. Pure. */
export function compareItems(expected: Items, actual: Items, { withoutRoles, namesOnly }: ComparisonLimits): string[] {
  const names = [...new Set([...Object.keys(expected), ...Object.keys(actual)])];
  return names
    .filter((name) => !(withoutRoles && namesRole.test(name)))
    .flatMap((name) => {
      const [before, after] = [expected[name], actual[name]];
      if (after === undefined) return [`${name} is missing`];
      if (before === undefined) return [`${name} is there, though it was not when the backup was taken`];
      if (namesOnly || canonical(before) === canonical(after)) return [];
      return [`${name} differs: ${inShort(after)}, expected ${inShort(before)}`];
    });
}

/** What is left out of a restore without owners; publications belong to whoever may replicate. */
const namesRole = /^(owner of|grants? (on|of)|default grants|publication|setting \S+ of role) /;

const inShort = (definition: string): string => JSON.stringify(definition.length > 120 ? `${definition.slice(0, 119)}…` : definition);

/**
 * The server words `x IN ('a', 'b')` over varchar one way when it was typed and another once that has been dumped and
 * loaded: the cast of the array moves to its elements. Both are the same expression.
 */
const castArray = /\(ARRAY\[((?:'(?:[^']|'')*'::[a-z ]+(?:\(\d+\))?(?:, )?)+)\]\)::([a-z ]+)\[\]/g;
const element = /'(?:[^']|'')*'::[a-z ]+(?:\(\d+\))?/g;

export const canonical = (definition: string): string =>
  definition.replaceAll(castArray, (_, elements: string, type: string) => {
    const cast = (elements.match(element) ?? []).map((one) => `(${one})::${type}`);
    return `ARRAY[${cast.join(', ')}]`;
  });
