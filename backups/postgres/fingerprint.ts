import type { Client } from 'pg';
import type { Fingerprint } from '../set/manifest.ts';

/**
 * Settings that the text form of values depends on. With them, equal data give equal texts on any server, whatever its
 * or the role's own settings are.
 */
const textSettings = `SET LOCAL search_path = pg_catalog; SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, YMD';
  SET LOCAL intervalstyle = 'postgres'; SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex';
  SET LOCAL lc_monetary = 'C'; SET LOCAL xmloption = 'content'; SET LOCAL row_security = off`;

/** Neither the system's own, nor temporary, nor part of an extension, whose content comes with CREATE EXTENSION. */
const isUsers = `n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND c.relpersistence <> 't'
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`;

/** Tables that hold rows of their own, as `schema.name`, quoted where needed. */
export async function listTables(client: Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT format('%I.%I', n.nspname, c.relname) AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND ${isUsers} ORDER BY 1`,
  );
  return rows.map((row) => row.name);
}

/** How many relations of users a database holds; 0 means that nothing is lost with it. */
export async function countRelations(client: Client): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    `SELECT count(*)::int AS count FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f') AND ${isUsers}`,
  );
  return rows[0]?.count ?? 0;
}

/**
 * Row counts and content hashes of all tables, and the sequences, as the client's open transaction sees them. The hash
 * of a table is the sum of its rows' hashes: it does not depend on their order, and repeated rows count.
 */
export async function takeFingerprint(client: Client, onTable?: () => void): Promise<Fingerprint> {
  await client.query(textSettings);
  const sequences = await readSequences(client);
  const tables: Record<string, { rows: number; hash: string }> = {};
  for (const name of await listTables(client)) {
    // The alias must not be a column's name anywhere, else the column would be meant. ONLY: children count by themselves.
    const { rows } = await client.query<{ rows: string; hash: string }>(
      `SELECT count(*)::text AS rows,
              coalesce(sum(hashtextextended(ROW(atalaya_row_.*)::text COLLATE "C", 0)::numeric), 0)::text AS hash
       FROM ONLY ${name} AS atalaya_row_`,
    );
    tables[name] = { rows: Number(rows[0]?.rows), hash: rows[0]?.hash ?? '' };
    onTable?.();
  }
  return { tables, sequences };
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

/** Every difference that a restored copy may not have, one line each beginning with the table or sequence. Pure. */
export function compareFingerprints(expected: Fingerprint, actual: Fingerprint): string[] {
  return [...compareTables(expected.tables, actual.tables), ...compareSequences(expected.sequences, actual.sequences)];
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
