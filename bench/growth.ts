import type { Client } from 'pg';
import { createPool } from '#api/db/pool.ts';
import { createDatabase, type Db } from '#api/db/tx.ts';
import { filterProducts } from '#api/shop/products/filter-products.ts';
import { readClients } from '#api/shop/clients/clients.ts';
import { readOrderDetails } from '#api/shop/order-details/order-details.ts';
import { readOrder, readOrders } from '#api/shop/orders/read-orders.ts';
import { productFilter } from '#api/shop/products/product-schema.ts';
import { readProduct, readProducts } from '#api/shop/products/products.ts';
import { readReviews } from '#api/shop/reviews/reviews.ts';
import type { Environment } from '#lib/env.ts';
import { openOwnTarget } from '#loadtest/targets/open-target.ts';
import { withClient } from './run-bench.ts';
import { FloorError } from './start-floor.ts';

/** What a read costs as its table grows: the API's own statements, asked one after the other. */

export type GrowthOptions = {
  readonly sizes: readonly number[];
  readonly env: Environment;
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
};

/** Median time of each read, in milliseconds, by the number of products, and as many orders and reviews. */
export type GrowthResult = { readonly sizes: readonly number[]; readonly reads: Readonly<Record<string, readonly number[]>> };

const repeats = 31;
const pageSize = 20;

export async function runGrowth({ sizes, env, signal, onProgress }: GrowthOptions): Promise<GrowthResult> {
  onProgress('starting a stack of its own');
  const target = await openOwnTarget({ API_WORKERS: '1', ...env }, signal);
  const reads: Record<string, number[]> = {};
  try {
    const { postgres } = target;
    if (!postgres) throw new FloorError('the database of the stack is not known');
    const pool = createPool({ ...postgres, DB_POOL_SIZE: 1, DB_MAX_OVERFLOW: 0, DB_POOL_TIMEOUT: 30, DB_POOL_RECYCLE: 0 }, 'atalaya-bench');
    try {
      for (const size of sizes) {
        onProgress(`${size} products and orders`);
        await withClient(postgres, (client) => growTo(client, size));
        for (const [name, read] of readsOf(createDatabase(pool).read, size)) (reads[name] ??= []).push(await medianMs(read, signal));
      }
    } finally {
      await pool.end();
    }
  } finally {
    await target.stop();
  }
  return { sizes, reads };
}

const ordersOfEach = 50;

async function growTo(client: Client, size: number): Promise<void> {
  for (const [table, insert, count] of growing(size)) {
    await client.query(`${insert} FROM generate_series((SELECT count(*) FROM ${table}) + 1, $1::integer) n`, [count]);
    await client.query(`VACUUM ANALYZE ${table}`);
  }
}

/** Names of three words of 200 each, so that the rarest search finds one in 2,000 and the commonest all. */
const growing = (size: number): readonly (readonly [table: string, insert: string, count: number])[] => [
  [
    'products',
    `INSERT INTO products (name, price_cents, stock)
     SELECT 'Article ' || md5('a' || n % 200) || ' ' || CASE WHEN n % 2000 = 0 THEN 'zzyzx ' ELSE '' END || n, 100 + (n * 7919) % 50000, n % 50`,
    size,
  ],
  ['clients', `INSERT INTO clients (name, lastname, email) SELECT 'Ana', 'Luz', 'ana' || n || '@example.com'`, size / ordersOfEach],
  [
    'orders',
    `INSERT INTO orders (total_cents, delivery_method, client_id)
     SELECT 100, 1, (SELECT min(id_key) FROM clients) + n % ${size / ordersOfEach}`,
    size,
  ],
  [
    'order_details',
    `INSERT INTO order_details (order_id, product_id, quantity, price_cents, product_name)
     SELECT (SELECT min(id_key) FROM orders) + n - 1, (SELECT min(id_key) FROM products) + n - 1, 1, 100, 'Article'`,
    size,
  ],
  [
    'reviews',
    `INSERT INTO reviews (rating_tenths, comment, product_id, verified_purchase)
     SELECT 40, 'Does what it says.', (SELECT min(id_key) FROM products) + n - 1, false`,
    size,
  ],
];

type Read = readonly [name: string, ask: () => Promise<unknown>];

const at = (...place: (string | number)[]): string => Buffer.from(JSON.stringify(place)).toString('base64url');

function readsOf(db: Db, size: number): readonly Read[] {
  const [middle, far] = [Math.floor(size / 2), size - pageSize];
  const page = { limit: pageSize, skip: 0, cursor: undefined };
  const find = (query: Record<string, string>) => (): Promise<unknown> =>
    filterProducts(db, productFilter.parse({ limit: String(pageSize), ...query }));
  const orders = ['price_asc', 'price_desc', 'name_asc', 'name_desc'].flatMap((sort_by): Read[] => [
    [`filter by ${sort_by}, first page`, find({ sort_by })],
    [
      `filter by ${sort_by}, cursor in the middle`,
      find({ sort_by, cursor: sort_by.startsWith('price') ? at(25_000, 1) : at('Article 8', 1) }),
    ],
    [`filter by ${sort_by}, skip half`, find({ sort_by, skip: String(middle) })],
  ]);
  return [
    ['one product', () => readProduct(db, middle)],
    ['list, first page', () => readProducts(db, page)],
    ['list, cursor to the last page', () => readProducts(db, { ...page, cursor: [far] })],
    ['list, skip to the last page', () => readProducts(db, { ...page, skip: far })],
    ['filter by newest, cursor to the last page', find({ cursor: at(pageSize + 1) })],
    ['filter by newest, skip to the last page', find({ skip: String(far) })],
    ...orders,
    ['search, one in 2,000', find({ search: 'zzyzx' })],
    ['search, one in 2,000 by price', find({ search: 'zzyzx', sort_by: 'price_asc' })],
    ['search, found in all', find({ search: 'article' })],
    ['search, found nowhere', find({ search: 'quixotic' })],
    ['clients, of whom one sees but itself', () => readClients(db, page, size / ordersOfEach)],
    ['one order with its lines', () => readOrder(db, middle, undefined)],
    ['orders, first page', () => readOrders(db, page, undefined)],
    ['orders, cursor to the last page', () => readOrders(db, { ...page, cursor: [far] }, undefined)],
    ['orders, skip to the last page', () => readOrders(db, { ...page, skip: far }, undefined)],
    [`orders of one who placed ${ordersOfEach}`, () => readOrders(db, page, 2)],
    ['their lines', () => readOrderDetails(db, page, { only: 2, orderId: undefined })],
    ['lines of one order', () => readOrderDetails(db, page, { only: undefined, orderId: middle })],
    ['lines, skip to the last page', () => readOrderDetails(db, { ...page, skip: far }, { only: undefined, orderId: undefined })],
    ['reviews of one product', () => readReviews(db, page, middle)],
    ['reviews, skip to the last page', () => readReviews(db, { ...page, skip: far }, undefined)],
  ];
}

async function medianMs(ask: () => Promise<unknown>, signal: AbortSignal): Promise<number> {
  const times: number[] = [];
  for (let repeat = 0; repeat < repeats; repeat += 1) {
    signal.throwIfAborted();
    const askedAt = performance.now();
    await ask();
    times.push(performance.now() - askedAt);
  }
  return times.toSorted((a, b) => a - b)[repeats >> 1] ?? Number.NaN;
}
