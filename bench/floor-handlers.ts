import type { Pool, PoolClient } from 'pg';
import { claimKey, storeAnswer } from '#api/http/idempotency.ts';
import { filterPage, lockProducts, oneProduct, productPage, recordOrder, takeStock } from './floor-statements.ts';

/** The requests of the bench, with the API's own bytes as the answer: the same on the wire, and nothing around it. */

/** Columns as `pg` reads them by itself: bigint comes as text. */
type ProductRow = {
  readonly id_key: string;
  readonly name: string;
  readonly description: string | null;
  readonly price_cents: string;
  readonly stock: number;
  readonly category_id: string | null;
  /** JSON. */
  readonly category: string;
  readonly reviews: string;
  readonly version: number;
};

/** One product as JSON. */
export async function readProduct(pool: Pool, id: number): Promise<string> {
  const { rows } = await pool.query<ProductRow>({ ...oneProduct, values: [id] });
  const [row] = rows;
  if (!row) throw new Error('no such product');
  return shownProduct(row);
}

/** A page of products as JSON, or what a filter finds of them. */
export async function readProducts(pool: Pool, query: URLSearchParams, isFilter: boolean): Promise<string> {
  const [search, maxPrice, limit, skip] = ['search', 'max_price', 'limit', 'skip'].map((name) => query.get(name));
  const asked = isFilter
    ? { ...filterPage, values: [`%${search}%`, Math.round(Number(maxPrice) * 100), limit, 0] }
    : { ...productPage, values: [limit, skip] };
  const { rows } = await pool.query<ProductRow>(asked);
  return `[${rows.map(shownProduct).join(',')}]`;
}

const shownProduct = ({ id_key, name, description, price_cents, stock, category_id, category, reviews, version }: ProductRow): string =>
  `{"id_key":${id_key},"name":${JSON.stringify(name)},"description":${JSON.stringify(description)},"price":${decimal(price_cents)},"stock":${stock},"category_id":${category_id},"category":${category},"reviews":${reviews},"version":${version}}`;

const decimal = (cents: number | string): string => (Number(cents) / 100).toFixed(2);

type OrderInput = {
  readonly client_id: number;
  readonly delivery_method: number;
  readonly lines: readonly { readonly product_id: number; readonly quantity: number }[];
};

/** Places an order and shows it as JSON. */
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

type OrderRow = {
  readonly id_key: string;
  readonly date: Date;
  readonly status: number;
  readonly version: number;
  readonly line_ids: number[];
};
type Line = { readonly product_id: number; readonly quantity: number; readonly name: string; readonly priceCents: number };

async function record(client: PoolClient, input: OrderInput, key: string): Promise<string> {
  const principal = `client:${input.client_id}`;
  await client.query({ ...claimKey, values: [principal, key, key] });
  const lines = await priced(client, input.lines);
  const totalCents = lines.reduce((sum, line) => sum + line.quantity * line.priceCents, 0);
  const { rows } = await client.query<OrderRow>({
    ...recordOrder,
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
  const [order] = rows;
  if (!order) throw new Error('no such client');
  const take = [lines.map((line) => line.product_id), lines.map((line) => line.quantity), lines.map(() => order.id_key), order.line_ids];
  await client.query({ ...takeStock, values: take });
  const body = shown(input, order, lines, totalCents);
  await client.query({ ...storeAnswer, values: [principal, key, 201, '{}', body, null] });
  return body;
}

async function priced(client: PoolClient, lines: OrderInput['lines']): Promise<Line[]> {
  const { rows } = await client.query<ProductRow>({ ...lockProducts, values: [lines.map((line) => line.product_id)] });
  const byId = new Map(rows.map((row) => [Number(row.id_key), row]));
  return lines.map((line) => {
    const product = byId.get(line.product_id);
    if (!product) throw new Error('no such product');
    return { ...line, name: product.name, priceCents: Number(product.price_cents) };
  });
}

function shown(
  input: OrderInput,
  { id_key, date, status, version, line_ids }: OrderRow,
  lines: readonly Line[],
  totalCents: number,
): string {
  const { client_id, delivery_method } = input;
  const items = lines.map(
    ({ product_id, name, quantity, priceCents }, i) =>
      `{"id_key":${line_ids[i]},"product_id":${product_id},"product_name":${JSON.stringify(name)},"quantity":${quantity},"price":${decimal(priceCents)}}`,
  );
  return `{"id_key":${id_key},"date":"${date.toISOString()}","total":${decimal(totalCents)},"delivery_method":${delivery_method},"status":${status},"client_id":${client_id},"bill_id":null,"refunded":0.00,"version":${version},"lines":[${items.join(',')}]}`;
}
