import * as z from 'zod';
import { textStatement, unseen, type Statement } from '../db/statement.ts';
import type { EachValues } from '../db/shared-reads.ts';
import type { Db } from '../db/tx.ts';
import type { ObjectView, Written } from '../http/view.ts';
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

/** A page as the database writes it; `place`: that of its last row, as JSON, when it is full; else null. */
export type WrittenPage = Written & { readonly place: string | null };

/** The cursor of the page after this one; undefined when there is none; see `Definition.next`. */
export const nextPage = ({ place }: WrittenPage): string | undefined =>
  place === null ? undefined : Buffer.from(place).toString('base64url');

/**
 * A page as the one row of a statement.
 * @param rows SELECT of its rows from `table`, in their order, with the columns of the view
 * @param limit SQL of how many they are at most, an integer
 * @param order columns that rows are ordered by, never null, the id last
 */
export function writtenPage(of: ObjectView<never>, table: string, { rows, limit, order }: PageParts): string {
  // Written of the last row alone, which is null where the page is not full.
  const place = order.map((column) => `to_json((array_agg(${column}))[${limit}])::text`).join(` || ',' || `);
  return `SELECT ${of.listSql} AS json, '[' || ${place} || ']' AS place FROM (${rows}) AS ${table}`;
}

type PageParts = { readonly rows: string; readonly limit: string; readonly order: readonly string[] };

/**
 * The statement of a page of `table` in the order of its ids, whose parameters are those of `askPage`. What is skipped
 * is counted off an index where one has it all, and not read.
 */
export function pageOf(name: string, of: ObjectView<never>, table: string, condition = 'true'): Statement<WrittenPage> {
  const [limit, skip, after] = [unseen('$1', 'bigint'), unseen('$2', 'bigint'), unseen('$3', 'bigint')];
  const first = `SELECT id_key FROM ${table} WHERE ${condition} AND id_key > ${after} ORDER BY id_key LIMIT 1 OFFSET ${skip}`;
  const rows = `SELECT ${of.select} FROM ${table} WHERE ${condition} AND id_key >= (${first}) ORDER BY id_key LIMIT ${limit}`;
  return textStatement(name, writtenPage(of, table, { rows, limit: `${limit}::integer`, order: ['id_key'] }));
}

/**
 * The same of such pages as many ask for at once, each another: they become one question.
 * @param asked names of what each page is of, of which the condition speaks as `asked.NAME`
 */
export function pagesOfEach(name: string, of: ObjectView<never>, table: string, { asked, condition }: EachPage): Statement<IdentifiedPage> {
  const values = ['page_limit', 'page_skip', 'page_after', ...asked].map((column): EachColumn => [column, 'bigint']);
  const first = `SELECT id_key FROM ${table} WHERE ${condition} AND id_key > asked.page_after ORDER BY id_key LIMIT 1 OFFSET asked.page_skip`;
  const rows = `SELECT ${of.select} FROM ${table} WHERE ${condition} AND id_key >= (${first}) ORDER BY id_key LIMIT asked.page_limit`;
  return eachOf(name, values, writtenPage(of, table, { rows, limit: 'asked.page_limit::integer', order: ['id_key'] }));
}

type EachPage = { readonly asked: readonly string[]; readonly condition: string };
export type IdentifiedPage = WrittenPage & { readonly id_key: string };
export type EachColumn = readonly [name: string, type: 'bigint' | 'text'];

/**
 * For `byEach`: a page for each who asks.
 * @param columns names of the values it is asked with, in their order
 * @param written the page, in which these are `asked.NAME`
 * @param condition without which nobody is answered
 */
export function eachOf(name: string, columns: readonly EachColumn[], written: string, condition = 'true'): Statement<IdentifiedPage> {
  const arrays = columns.map(([, type], index) => unseen(`$${index + 1}`, `${type}[]`)).join(', ');
  return textStatement(
    name,
    `SELECT asked.n AS id_key, page.* FROM unnest(${arrays}) WITH ORDINALITY AS asked (${columns.map(([column]) => column).join(', ')}, n)
     CROSS JOIN LATERAL (${written}) AS page WHERE ${condition}`,
  );
}

/** Pages of one question wait for each other: one that may be long is asked for alone. @param of what the page is of */
export async function askEachPage(
  db: Db,
  statement: Statement<IdentifiedPage>,
  { limit, skip, cursor: place }: Page,
  of: EachValues = [],
): Promise<WrittenPage> {
  const numbers = [limit, skip, Number(place?.[0] ?? 0), ...of];
  const isShort = limit <= 100 && skip <= 1_000;
  const row = isShort ? await db.byEach(statement, numbers) : (await db.query(statement, asArrays(numbers)))[0];
  return row as WrittenPage;
}

const asArrays = (numbers: EachValues): EachValues[] => numbers.map((one) => [one]);

export async function askPage(db: Db, statement: Statement<WrittenPage>, { limit, skip, cursor: place }: Page): Promise<WrittenPage> {
  return (await db.query(statement, [limit, skip, place?.[0] ?? 0]))[0] as WrittenPage;
}
