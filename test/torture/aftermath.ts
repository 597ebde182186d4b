import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom, pick } from '#loadtest/generate/random.ts';
import { readStoredBooks, type Mark } from '#loadtest/scenarios/shop/read-books.ts';
import type { StoredBooks } from '#loadtest/scenarios/shop/stored-books.ts';
import { forEachOf } from '#loadtest/targets/http-client.ts';
import { send, type Course } from './asking.ts';
import { outcomes } from './history.ts';
import { administer, type Stack } from './stack.ts';
import { billsSql, movedSql, thingsSql } from './things.ts';

/** What is learned once all is quiet: what became of every open request, and what the database holds. */

/** What the database holds of what the clients did, beside the books of the shop. */
export type Aftermath = {
  readonly books: StoredBooks;
  readonly events: readonly OrderEvent[];
  readonly orders: readonly { readonly order: number; readonly refundedCents: number }[];
  readonly returns: readonly { readonly line: number; readonly order: number; readonly quantity: number; readonly returned: number }[];
  readonly registers: readonly { readonly register: number; readonly text: string; readonly version: number }[];
  /** Of the keepers, as `things` has them. */
  readonly things: readonly { readonly thing: string; readonly id: number; readonly version: number; readonly content: string }[];
  readonly moved: readonly { readonly line: number; readonly pieces: number; readonly moved: number }[];
  readonly bills: readonly StoredBill[];
  /** What is left of accounts that are deleted, one line a thing; ids of accounts. */
  readonly remains: readonly { readonly client: number; readonly what: string }[];
  /** E-mail addresses of accounts that are there, each with how often. */
  readonly accounts: readonly { readonly email: string; readonly count: number }[];
  readonly deadlocks: number | null;
};

export type OrderEvent = { readonly order: number; readonly event: string; readonly status: number; readonly refundedCents: number };

export type StoredBill = {
  readonly bill: number;
  readonly number: string;
  readonly billedCents: number;
  /** That it pays, with what its lines make; null where none refers to it. */
  readonly order: number | null;
  readonly isCanceled: boolean | null;
  readonly totalCents: number | null;
  readonly linesCents: number;
};

const atOnce = 16;
/** Of one key, 200 ms apart, beside those that are told to come again, as most are where many passwords wait to be hashed. */
const asks = 150;
const longestMs = 180_000;
/** Keys that were answered, of which so many are asked again. */
const asksAgain = 1_000;

/** Asks for every key whose outcome is open until it is told, and for some that were told already. @returns how many were open */
export async function resolveOpen(course: Course, seed: number): Promise<number> {
  const ended = outcomes(course.history);
  const open = [...course.sent.keys()].filter((key) => ended.get(key) === 'unknown');
  const told = [...course.sent.keys()].filter((key) => ended.get(key) === 'acknowledged');
  const random = createRandom(seed, 1_000);
  const again = Array.from({ length: Math.min(asksAgain, told.length) }, () => pick(random, told));
  await forEachOf([...open, ...again], atOnce, async (key) => {
    const { what, request } = course.sent.get(key) as NonNullable<ReturnType<typeof course.sent.get>>;
    const slash = key.indexOf('/');
    const endsAtMs = course.now() + longestMs;
    for (let left = asks; left > 0 && course.now() < endsAtMs;) {
      const answer = await send(course, { actor: key.slice(0, slash), key: key.slice(slash + 1), what, request, isAsking: true });
      if (answer !== undefined && answer.status < 500 && !answer.body.includes('idempotency_in_flight')) return;
      if (answer?.status !== 503) left -= 1;
      await sleep(200);
    }
  });
  return open.length;
}

/** Resolves once no transaction of the API is under way. @throws when one still is after 30 s */
export async function untilQuiet({ postgres }: Stack): Promise<void> {
  const sql = `SELECT count(*)::integer AS busy FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'atalaya-api' AND state <> 'idle'`;
  let quiet = 0;
  for (const endsAt = Date.now() + 30_000; quiet < 5; await sleep(100)) {
    const [row] = await administer<{ busy: number }>(postgres, sql).catch(() => []);
    quiet = row?.busy === 0 ? quiet + 1 : 0;
    if (Date.now() > endsAt) throw new Error('the API does not come to rest');
  }
}

/**
 * @param buyers ids of all accounts that may have ordered
 * @param keepers of those who fill their orders line by line, of which the books know nothing
 */
export async function readAftermath(
  stack: Stack,
  { mark, buyers, keepers, registers }: { mark: Mark; buyers: readonly number[]; keepers: readonly number[]; registers: readonly number[] },
): Promise<Aftermath> {
  const { postgres } = stack;
  const ask = <Row extends object>(sql: string, ...values: unknown[]): Promise<Row[]> => administer<Row>(postgres, sql, values);
  const own = 'order_id IN (SELECT id_key FROM orders WHERE client_id = ANY ($1::bigint[]))';
  return {
    books: await readStoredBooks(postgres, mark, buyers),
    events: await ask(
      `SELECT order_id::float8 AS "order", event, status, refunded_cents::float8 AS "refundedCents" FROM order_events WHERE ${own} ORDER BY id_key`,
      [...buyers, ...keepers],
    ),
    orders: await ask(
      'SELECT id_key::float8 AS "order", refunded_cents::float8 AS "refundedCents" FROM orders WHERE client_id = ANY ($1::bigint[])',
      buyers,
    ),
    returns: await ask(
      `SELECT id_key::float8 AS line, order_id::float8 AS "order", quantity, returned FROM order_details WHERE returned > 0 AND ${own}`,
      buyers,
    ),
    registers: await ask(
      `SELECT id_key::float8 AS register, coalesce(description, '') AS text, version FROM products WHERE id_key = ANY ($1::bigint[])`,
      registers,
    ),
    things: await ask(thingsSql, keepers),
    moved: await ask(movedSql, keepers),
    bills: await ask(billsSql, keepers),
    remains: await ask(remainsSql),
    accounts: await ask(`SELECT email, count(*)::integer AS count FROM clients WHERE deleted_at IS NULL GROUP BY email`),
    deadlocks: await stack.deadlocks(),
  };
}

const remainsSql = `
  WITH gone AS (SELECT * FROM clients WHERE deleted_at IS NOT NULL)
  SELECT id_key::float8 AS client, 'its name, address or password' AS what FROM gone
    WHERE name <> 'deleted' OR lastname <> 'deleted' OR email <> 'deleted-' || id_key || '@invalid' OR password_hash IS NOT NULL
  UNION ALL SELECT client_id::float8, 'an address' FROM addresses WHERE client_id IN (SELECT id_key FROM gone)
  UNION ALL SELECT client_id::float8, 'a session' FROM sessions WHERE client_id IN (SELECT id_key FROM gone)
  UNION ALL SELECT id_key::float8, 'an answer to ' || key FROM gone JOIN idempotency_keys ON principal = 'client:' || id_key
  UNION ALL SELECT id_key::float8, 'an answer about it' FROM gone JOIN idempotency_keys ON owner = 'client:' || id_key AND body IS NOT NULL`;
