import * as z from 'zod';
import { unseen } from '../db/statement.ts';
import { wholeNumberText } from './fields.ts';

/**
 * Lists come in pages. `skip` counts from the start, and costs what it leaves out; a cursor names the last row seen, so
 * that the next page costs the same however far it is, and rows that come or go before it shift nothing.
 */

/** The last row of a page by what its list is ordered by, its id last. */
export type Place = readonly (string | number)[];

const cursorMessage = 'must be a cursor of this list, as its Link header gave it';

/** The query parameter `cursor` of a list whose places `isPlace` knows. */
export const cursor = z
  .string()
  .max(2_000, cursorMessage)
  .transform((text, context): Place => {
    const place = placeFrom(text);
    if (place) return place;
    context.addIssue({ code: 'custom', message: cursorMessage });
    return z.NEVER;
  });

function placeFrom(text: string): Place | undefined {
  try {
    const place = JSON.parse(Buffer.from(text, 'base64url').toString('utf8')) as unknown;
    return Array.isArray(place) && place.every(isKey) ? place : undefined;
  } catch {
    return undefined;
  }
}

const isKey = (key: unknown): boolean =>
  Number.isSafeInteger(key) || (typeof key === 'string' && key.isWellFormed() && !key.includes('\0'));

/** Whether a place has values of these kinds, the last one an id. */
export const isPlaceOf = (place: Place, ...kinds: readonly ('string' | 'number')[]): boolean =>
  place.length === kinds.length && place.every((key, at) => typeof key === kinds[at]);

/** Query parameters by which every list is cut into pages. */
export const page = {
  skip: wholeNumberText(0, 1_000_000_000, 'must be a whole number from 0').default(0).describe('How many to leave out.'),
  limit: wholeNumberText(1, 1_000, 'must be a whole number from 1 to 1000').default(100).describe('How many to return at most.'),
  cursor: cursor
    .refine((place) => isPlaceOf(place, 'number'), cursorMessage)
    .optional()
    .describe('Goes on after the page whose Link header gave it.'),
};

export const pageQuery = z.strictObject(page);
export type Page = z.output<typeof pageQuery>;

/** The cursor of the page after this one; undefined when there is none. */
export function nextPlace<Row>(rows: readonly Row[], limit: number, placeOf: (row: Row) => Place): string | undefined {
  const last = rows[limit - 1];
  return last === undefined ? undefined : Buffer.from(JSON.stringify(placeOf(last))).toString('base64url');
}

/** The same for lists in the order of their ids; see `Definition.next`. */
export const nextById = (rows: readonly { readonly id_key: string | number }[], { limit }: Pick<Page, 'limit'>): string | undefined =>
  nextPlace(rows, limit, ({ id_key }) => [Number(id_key)]);

/**
 * What follows the columns in the statement of a page of `table` in the order of its ids, whose first parameters are
 * `pageValues`. What is skipped is counted off an index where one has it all, and not read.
 */
export function pageOf(table: string, condition = 'true'): string {
  const [limit, skip, after] = [unseen('$1', 'bigint'), unseen('$2', 'bigint'), unseen('$3', 'bigint')];
  const first = `SELECT id_key FROM ${table} WHERE ${condition} AND id_key > ${after} ORDER BY id_key LIMIT 1 OFFSET ${skip}`;
  return `FROM ${table} WHERE ${condition} AND id_key >= (${first}) ORDER BY id_key LIMIT ${limit}`;
}

export const pageValues = ({ limit, skip, cursor: place }: Page): readonly unknown[] => [limit, skip, place?.[0] ?? 0];
