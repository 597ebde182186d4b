import { messageOf } from '#lib/errors.ts';
import { createHttpClient, forEachOf, type HttpClient } from '../../targets/http-client.ts';
import type { Target } from '../../targets/target.ts';
import { readGoods } from './catalogue.ts';
import { SetUpError } from '../../targets/set-up.ts';
import type { ShopClient } from './clients.ts';
import { orderOf, type SeenOrder } from './look-at-orders.ts';
import { markLedger, readStoredBooks, type Mark } from './read-books.ts';
import type { Goods } from './shelf.ts';
import type { StoredBooks, StoredOrder } from './stored-books.ts';

/** All that the judges need to hold a run's events against the shop. */
export type ShopBooks = {
  /** Others may buy, sell and edit in the same shop. */
  readonly isShared: boolean;
  readonly before: Goods;
  /** Null where it could not be read. */
  readonly after: Goods | null;
  /** Null where neither the database nor the API showed the buyers' orders. */
  readonly stored: StoredBooks | null;
  /** Why something above is null, for people. */
  readonly notes: readonly string[];
};

/** Where the ledger of a shop stands now; undefined where it cannot be read. */
export const markOf = async ({ postgres }: Target): Promise<Mark | undefined> =>
  postgres === undefined ? undefined : markLedger(postgres).catch(() => undefined);

/** What the books come to, for a report: counts, and why something could not be read. Null when nobody came to read them. */
export function tellBooks(books: ShopBooks | null): object | null {
  if (books === null) return null;
  const { isShared, before, after, stored, notes } = books;
  const { orders = null, ledger = null } = stored ?? {};
  return {
    isShared,
    categories: before.categories.length,
    products: before.products.length,
    productsAfter: after?.products.length ?? null,
    orders: orders?.length ?? null,
    lines: orders?.reduce((sum, { lines }) => sum + lines.length, 0) ?? null,
    totalCents: orders?.reduce((sum, order) => sum + order.totalCents, 0) ?? null,
    movements: ledger?.movements.length ?? null,
    strayMovements: ledger?.strayMovements.length ?? null,
    notes,
  };
}

export type BooksRequest = { readonly before: Goods; readonly clients: readonly ShopClient[]; readonly mark: Mark | undefined };

/** Reads the books of a shop at rest, from its database or else as its buyers see them. Never rejects. */
export async function readShopBooks(target: Target, { before, clients, mark }: BooksRequest): Promise<ShopBooks> {
  const notes: string[] = [];
  const orNull = (err: unknown): null => {
    notes.push(messageOf(err));
    return null;
  };
  const http = createHttpClient(target.origin);
  try {
    const fromDatabase = await storedIn(target, mark, clients).catch(orNull);
    const stored = fromDatabase ?? (await ordersShown(http, clients).catch(orNull));
    return { isShared: target.kind === 'given', before, after: await readGoods(http).catch(orNull), stored, notes };
  } finally {
    await http.close();
  }
}

async function storedIn({ postgres }: Target, mark: Mark | undefined, clients: readonly ShopClient[]): Promise<StoredBooks> {
  if (postgres === undefined) throw new Error('no access to the database: set POSTGRES_HOST');
  if (mark === undefined) throw new Error('the database could not be read when the run began');
  const buyers = clients.map(({ clientId }) => clientId);
  return readStoredBooks(postgres, mark, buyers).catch((err: unknown) => {
    throw new Error(`the database could not be read: ${messageOf(err)}`, { cause: err });
  });
}

const pageSize = 1_000;
const atOnce = 16;

/** The buyers' orders as they see them themselves. */
async function ordersShown(http: HttpClient, clients: readonly ShopClient[]): Promise<StoredBooks> {
  const orders: StoredOrder[] = [];
  await forEachOf(clients, atOnce, async ({ accessToken }) => {
    for (let skip = 0; ; skip += pageSize) {
      const list = await read(http, `/api/v1/orders?skip=${skip}&limit=${pageSize}`, accessToken);
      if (!Array.isArray(list)) throw new SetUpError(`${http.origin} does not list a client's orders`);
      for (const item of list) orders.push(await orderShown(http, orderOf(item)?.id, accessToken));
      if (list.length < pageSize) return;
    }
  });
  return { orders: orders.toSorted((a, b) => a.id - b.id), ledger: null };
}

async function orderShown(http: HttpClient, id: number | undefined, accessToken: string): Promise<StoredOrder> {
  const seen: SeenOrder | undefined = orderOf(await read(http, `/api/v1/orders/${id}`, accessToken));
  if (seen?.lines === undefined) throw new SetUpError(`${http.origin} does not show order ${id} to its buyer`);
  return { ...seen, lines: seen.lines };
}

async function read(http: HttpClient, path: string, accessToken: string): Promise<unknown> {
  const { status, json } = await http.send({ method: 'GET', path, headers: { authorization: `Bearer ${accessToken}` } });
  if (status !== 200) throw new SetUpError(`${http.origin} answers GET ${path} with ${status}`);
  return json;
}
