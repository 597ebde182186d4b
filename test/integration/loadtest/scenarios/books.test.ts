import { describe, expect } from 'vitest';
import { checkBooks } from '#loadtest/scenarios/shop/check-books.ts';
import type { Anomaly } from '#loadtest/scenarios/shop/stored-books.ts';
import { readShopBooks } from '#loadtest/scenarios/shop/books.ts';
import { claimsOf, type OrderAttempt } from '#loadtest/scenarios/shop/history.ts';
import { orderOf } from '#loadtest/scenarios/shop/look-at-orders.ts';
import { markLedger, readStoredBooks } from '#loadtest/scenarios/shop/read-books.ts';
import { productOf, type Product } from '#loadtest/scenarios/shop/shelf.ts';
import { addClient, addProduct, customer, openShop, operator } from '#test/integration/api/shop/shop.ts';
import { test } from '#test/support/migrated-database.ts';
import type { MigratedDatabase } from '#test/support/migrated-database.ts';

/** A real shop in which one buyer placed two orders, one of them of two lines, and what the load test makes of its books. */
async function sold(db: MigratedDatabase) {
  const shop = openShop(db);
  const client = await addClient(shop);
  const products = [await addProduct(shop, { stock: 10, price: 19.9 }), await addProduct(shop, { stock: 20, price: 5 })];
  const shown = await shop.call(operator, 'GET /products');
  const before = (shown.json as unknown[]).map(productOf) as Product[];
  const mark = await markLedger(db.settings);
  const attempts: OrderAttempt[] = [];
  for (const [index, lines] of [
    [{ product: products[0] as number, quantity: 2 }],
    products.map((product) => ({ product, quantity: 1 })),
  ].entries()) {
    const body = {
      client_id: client,
      delivery_method: 1,
      lines: lines.map(({ product, quantity }) => ({ product_id: product, quantity })),
    };
    const { status, json } = await shop.call(customer(client), 'POST /orders', { body });
    const { id: order, totalCents } = orderOf(json) ?? { id: null, totalCents: null };
    attempts.push({
      key: `k-${index}`,
      client,
      deliveryMethod: 1,
      lines,
      sentAtMs: 0,
      endedAtMs: 1,
      outcome: 'acknowledged',
      status,
      requestId: null,
      order,
      totalCents,
    });
  }
  const check = async (): Promise<Anomaly[]> => {
    const stored = await readStoredBooks(db.settings, mark, [client]);
    return checkBooks({ claims: claimsOf(attempts), stored, products: before, productsAfter: before, isShared: false });
  };
  return { check, attempts, products };
}

test('the books of a shop at work agree with its buyers, id by id', async ({ db }) => {
  const { check } = await sold(db);
  expect(await check()).toEqual([]);
});

describe('what is wrong in the database is named:', () => {
  const wrongs: readonly { readonly wrong: string; readonly sql: string; readonly rule: Anomaly['rule'] }[] = [
    {
      wrong: 'an acknowledged order is gone',
      sql: 'DELETE FROM stock_movements WHERE order_id IS NOT NULL; DELETE FROM order_details; DELETE FROM orders',
      rule: 'orders-kept',
    },
    { wrong: 'a quantity is one more', sql: 'UPDATE order_details SET quantity = quantity + 1', rule: 'orders-as-asked' },
    { wrong: 'a total is a cent more', sql: 'UPDATE orders SET total_cents = total_cents + 1', rule: 'orders-as-answered' },
    { wrong: 'a price is another', sql: 'UPDATE order_details SET price_cents = price_cents + 1', rule: 'orders-as-answered' },
    {
      wrong: 'an order nobody asked for',
      sql: 'INSERT INTO orders (total_cents, delivery_method, client_id) SELECT 0, 1, client_id FROM orders LIMIT 1',
      rule: 'orders-asked-for',
    },
    {
      wrong: 'neither stock nor ledger were moved',
      sql: `UPDATE products SET stock = stock + sold.pieces FROM (SELECT product_id, -sum(quantity) AS pieces FROM stock_movements
            WHERE reason = 'sale' GROUP BY product_id) AS sold WHERE sold.product_id = id_key;
            DELETE FROM stock_movements WHERE reason = 'sale'`,
      rule: 'stock-moved',
    },
    { wrong: 'stock moved without its ledger', sql: 'UPDATE products SET stock = stock - 1', rule: 'stock-ledger' },
    {
      wrong: 'pieces left for no order',
      sql: `INSERT INTO stock_movements (product_id, quantity, reason) SELECT id_key, -1, 'sale' FROM products;
            UPDATE products SET stock = stock - 1`,
      rule: 'stock-moved',
    },
    {
      wrong: 'pieces came back that no order says were taken back',
      sql: `INSERT INTO stock_movements (product_id, quantity, reason, order_id, order_detail_id)
            SELECT product_id, quantity, 'return', order_id, id_key FROM order_details`,
      rule: 'returned-once',
    },
    {
      wrong: 'a product is gone',
      sql: 'DELETE FROM stock_movements; DELETE FROM order_details; DELETE FROM products',
      rule: 'stock-conserved',
    },
  ];
  test.for(wrongs)('$wrong', async ({ sql, rule }, { db }) => {
    const { check } = await sold(db);
    await db.pool.query(sql);
    const found = (await check()).filter((anomaly) => anomaly.rule === rule);
    expect(found.length).toBeGreaterThan(0);
    expect(found[0]?.order ?? found[0]?.product).toBeDefined();
  });
});

test('books that cannot be reached are said to be so, and nothing is thrown', async ({ db }) => {
  const postgres = { ...db.settings, POSTGRES_PORT: 1 };
  const target = {
    kind: 'own',
    origin: 'http://127.0.0.1:1',
    loadtestKey: 'k',
    admin: undefined,
    postgres,
    pid: undefined,
    stop: async () => {},
  } as const;
  const books = await readShopBooks(target, {
    before: { products: [], categories: [] },
    clients: [{ clientId: 1, accessToken: 't' }],
    mark: { lastMovement: 0 },
  });
  expect(books).toMatchObject({ stored: null, after: null });
  expect(books.notes.join('; ')).toMatch(/the database could not be read: .*ECONNREFUSED/);
});
