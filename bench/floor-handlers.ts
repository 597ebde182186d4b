import type { Pool, PoolClient } from 'pg';
import { floorStatements as sql } from './floor-statements.ts';

type ProductRow = {
  readonly id_key: string;
  readonly name: string;
  readonly description: string | null;
  readonly price_cents: string;
  readonly stock: number;
  readonly category_id: string | null;
  readonly version: number;
};

/** One product as JSON, as the API presents it. */
export async function readProduct(pool: Pool, id: number): Promise<string> {
  const { rows } = await pool.query<ProductRow>({ ...sql.product, values: [id] });
  const [row] = rows;
  if (!row) throw new Error('no such product');
  const { id_key, name, description, price_cents, stock, category_id, version } = row;
  return JSON.stringify({ id_key: Number(id_key), name, description, price: Number(price_cents) / 100, stock, category_id, version });
}

type OrderInput = {
  readonly client_id: number;
  readonly delivery_method: number;
  readonly lines: readonly { readonly product_id: number; readonly quantity: number }[];
};

/** Places an order in the statements the API uses, and presents it. */
export async function placeOrder(pool: Pool, text: string, key: string): Promise<string> {
  const input = JSON.parse(text) as OrderInput;
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const body = await record(client, input, key);
    await client.query('COMMIT');
    return body;
  } catch (err) {
    await client.query('ROLLBACK');
    throw err;
  } finally {
    client.release();
  }
}

async function record(client: PoolClient, input: OrderInput, key: string): Promise<string> {
  const principal = `client:${input.client_id}`;
  await client.query({ ...sql.claim, values: [principal, key, key] });
  const locked = await client.query<ProductRow>({ ...sql.lock, values: [input.lines.map((line) => line.product_id)] });
  const byId = new Map(locked.rows.map((row) => [Number(row.id_key), row]));
  const lines = input.lines.map((line) => {
    const product = byId.get(line.product_id);
    if (!product) throw new Error('no such product');
    return { ...line, name: product.name, priceCents: Number(product.price_cents) };
  });
  const totalCents = lines.reduce((sum, line) => sum + line.quantity * line.priceCents, 0);
  const recorded = await client.query<{ id_key: string; date: Date; status: number; version: number; line_ids: number[] }>({
    ...sql.record,
    values: [
      totalCents,
      input.delivery_method,
      input.client_id,
      lines.map((line) => line.product_id),
      lines.map((line) => line.quantity),
      lines.map((line) => line.priceCents),
      lines.map((line) => line.name),
    ],
  });
  const [order] = recorded.rows;
  if (!order) throw new Error('no such client');
  const take = [lines.map((line) => line.product_id), lines.map((line) => line.quantity), lines.map(() => order.id_key), order.line_ids];
  await client.query({ ...sql.take, values: take });
  const body = JSON.stringify({
    id_key: Number(order.id_key),
    date: order.date,
    total: totalCents / 100,
    delivery_method: input.delivery_method,
    status: order.status,
    client_id: input.client_id,
    version: order.version,
    lines: lines.map((line, i) => ({
      id_key: order.line_ids[i],
      product_id: line.product_id,
      product_name: line.name,
      quantity: line.quantity,
      price: line.priceCents / 100,
    })),
  });
  await client.query({ ...sql.store, values: [principal, key, 201, '{}', body, null] });
  return body;
}
