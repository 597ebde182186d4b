import { raw } from 'objection';
import { unseen } from '../db/statement.ts';
import { ApiError } from '../errors.ts';

/** Things that carry a version, raised by each change, so that a change can say which state it was decided on. */

/**
 * Lets a change go on only when its object exists and is at a version the caller allows. Pure.
 * @param found the object as locked, if it exists
 * @param ifMatch the versions allowed; undefined allows any
 * @throws not_found
 * @throws version_mismatch
 */
export function assertVersion<T extends { readonly version: number }>(
  found: T | undefined,
  ifMatch: readonly number[] | undefined,
  what: string,
): asserts found is T {
  if (!found) throw new ApiError('not_found', `The ${what} does not exist.`);
  if (ifMatch === undefined || ifMatch.includes(found.version)) return;
  throw new ApiError('version_mismatch', `The ${what} has been changed; it is at version ${found.version} now.`, {
    extensions: { current_version: found.version },
  });
}

/** Which thing a change is of. `only`: whose it must be; undefined: anyone's. `ifMatch`: the versions allowed; undefined allows any. */
export type Addressed = { readonly id: number; readonly only: number | undefined; readonly ifMatch: readonly number[] | undefined };

/** What changes together: its table, the one column that may be repeated and not changed, those that change, and what is shown. */
export type ChangedTogether = {
  readonly table: string;
  readonly kept: string;
  /** Column and type. */
  readonly changed: Readonly<Record<string, string>>;
  readonly select: string;
};

/**
 * SQL of changes of many things as one (see `JoinedWrite`). It leaves out what it may not change, and waits for nothing: things that
 * others have locked are left out too, and of several changes of one thing all but the first, so that each is decided on what is there.
 */
export function changeTogether({ table, kept, changed, select }: ChangedTogether): string {
  const asked = { target: 'bigint', whose: 'bigint', at_version: 'bigint', kept: 'bigint' };
  const columns = [...Object.entries(asked), ...Object.entries(changed).map(([name, type]) => [`new_${name}`, type] as const)];
  const arrays = columns.map(([, type], index) => unseen(`$${index + 1}`, `${type}[]`)).join(', ');
  return `WITH asked AS MATERIALIZED (
     SELECT given.* FROM (
       SELECT DISTINCT ON (target) * FROM unnest(${arrays}) WITH ORDINALITY AS given (${columns.map(([name]) => name).join(', ')}, n)
       ORDER BY target, n
     ) AS given, LATERAL (
       SELECT FROM ${table} WHERE id_key = target AND (whose IS NULL OR client_id = whose)
         AND (at_version IS NULL OR version = at_version) AND (kept IS NULL OR ${kept} = kept)
       FOR NO KEY UPDATE SKIP LOCKED
     ) AS held
   )
   UPDATE ${table} SET ${Object.keys(changed)
     .map((name) => `${name} = new_${name}`)
     .join(', ')}, version = version + 1, updated_at = now()
   FROM asked WHERE id_key = target RETURNING n, ${select}`;
}

/**
 * The values of one for `changeTogether`; undefined for a change that must go alone, since it leaves something as it is, or allows
 * several versions. Pure.
 * @param kept what the column that stays was said to be, if it was
 */
export function valuesTogether(
  { id, only, ifMatch }: Addressed,
  kept: number | undefined,
  changed: readonly unknown[],
): readonly unknown[] | undefined {
  if (changed.includes(undefined) || (ifMatch !== undefined && ifMatch.length !== 1)) return undefined;
  return [id, only ?? null, ifMatch?.[0] ?? null, kept ?? null, ...changed];
}

/** A change of columns for a model's `patch`, with the version raised. */
export const raised = (changes: object): object => ({ ...changes, version: raw('version + 1'), updated_at: raw('now()') });
