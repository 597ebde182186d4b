import type { ClientBase } from 'pg';
import type { DemoData, DemoOrder } from './demo-data.ts';
import { insertRows } from './insert-rows.ts';

const canceled = 4;
/** When the demo shop opened: before the first of its orders. */
const openedAt = new Date(Date.UTC(2026, 6, 1));

/**
 * Inserts the demo shop, a table a statement. The ledger has a row for the first stock of each product, for each line
 * sold, and for each line of a canceled order, which came back. To be called in a transaction.
 */
export async function insertDemoData(client: ClientBase, data: DemoData, passwordHash: string): Promise<void> {
  const productIds = await insertProducts(client, data);
  const clientIds = await insertClients(client, data, passwordHash);
  const orderIds = await insertOrders(client, data, clientIds);
  const lines = await insertLines(client, data, { productIds, orderIds });
  await insertRows(client, 'stock_movements', 'id', {
    product_id: ['bigint', productIds],
    quantity: ['integer', data.products.map(({ firstStock }) => firstStock)],
    reason: ['text', productIds.map(() => 'initial')],
    created_at: opened(productIds.length),
  });
  await insertMovements(client, lines, 'sale');
  const cameBack = lines.filter(({ order }) => order.status === canceled);
  await insertMovements(client, cameBack, 'return');
}

async function insertProducts(client: ClientBase, { categories, products, orders }: DemoData): Promise<number[]> {
  const categoryIds = await insertRows(client, 'categories', 'id_key', {
    name: ['text', categories],
    created_at: opened(categories.length),
    updated_at: opened(categories.length),
  });
  const gone = piecesGone(orders);
  return insertRows(client, 'products', 'id_key', {
    name: ['text', products.map(({ name }) => name)],
    description: ['text', products.map(({ description }) => description)],
    price_cents: ['bigint', products.map(({ priceCents }) => priceCents)],
    stock: ['integer', products.map(({ firstStock }, index) => firstStock - (gone.get(index) ?? 0))],
    category_id: ['bigint', products.map(({ category }) => categoryIds[category])],
    created_at: opened(products.length),
    updated_at: opened(products.length),
  });
}

const opened = (count: number): readonly [string, Date[]] => ['timestamptz', Array.from({ length: count }, () => openedAt)];

/** Pieces of each product that were sold and did not come back. */
function piecesGone(orders: readonly DemoOrder[]): Map<number, number> {
  const gone = new Map<number, number>();
  for (const { lines, status } of orders) {
    if (status === canceled) continue;
    for (const { product, quantity } of lines) gone.set(product, (gone.get(product) ?? 0) + quantity);
  }
  return gone;
}

function insertClients(client: ClientBase, { clients }: DemoData, passwordHash: string): Promise<number[]> {
  return insertRows(client, 'clients', 'id_key', {
    name: ['text', clients.map(({ name }) => name)],
    lastname: ['text', clients.map(({ lastname }) => lastname)],
    email: ['text', clients.map(({ email }) => email)],
    telephone: ['text', clients.map(({ telephone }) => telephone)],
    password_hash: ['text', clients.map(() => passwordHash)],
    created_at: opened(clients.length),
    updated_at: opened(clients.length),
  });
}

function insertOrders(client: ClientBase, { orders, products }: DemoData, clientIds: readonly number[]): Promise<number[]> {
  const priceOf = (index: number): number => products[index]?.priceCents ?? 0;
  const dates = orders.map(({ date }) => date);
  return insertRows(client, 'orders', 'id_key', {
    date: ['timestamptz', dates],
    total_cents: ['bigint', orders.map(({ lines }) => lines.reduce((total, line) => total + line.quantity * priceOf(line.product), 0))],
    delivery_method: ['smallint', orders.map(({ deliveryMethod }) => deliveryMethod)],
    status: ['smallint', orders.map(({ status }) => status)],
    client_id: ['bigint', orders.map((order) => clientIds[order.client])],
    created_at: ['timestamptz', dates],
    updated_at: ['timestamptz', dates],
  });
}

type InsertedLine = {
  readonly id: number;
  readonly order: DemoOrder;
  readonly orderId: number | undefined;
  readonly productId: number | undefined;
  readonly quantity: number;
};

async function insertLines(
  client: ClientBase,
  { orders, products }: DemoData,
  { productIds, orderIds }: { readonly productIds: readonly number[]; readonly orderIds: readonly number[] },
): Promise<InsertedLine[]> {
  const lines = orders.flatMap((order, index) =>
    order.lines.map(({ product, quantity }) => ({
      order,
      orderId: orderIds[index],
      productId: productIds[product],
      product: products[product],
      quantity,
    })),
  );
  const ids = await insertRows(client, 'order_details', 'id_key', {
    order_id: ['bigint', lines.map(({ orderId }) => orderId)],
    product_id: ['bigint', lines.map(({ productId }) => productId)],
    quantity: ['integer', lines.map(({ quantity }) => quantity)],
    price_cents: ['bigint', lines.map(({ product }) => product?.priceCents)],
    product_name: ['text', lines.map(({ product }) => product?.name)],
    returned: ['integer', lines.map(({ order, quantity }) => (order.status === canceled ? quantity : 0))],
  });
  return lines.map(({ product: _product, ...line }, index) => ({ ...line, id: ids[index] as number }));
}

async function insertMovements(client: ClientBase, lines: readonly InsertedLine[], reason: 'sale' | 'return'): Promise<void> {
  const sign = reason === 'sale' ? -1 : 1;
  await insertRows(client, 'stock_movements', 'id', {
    product_id: ['bigint', lines.map(({ productId }) => productId)],
    quantity: ['integer', lines.map(({ quantity }) => sign * quantity)],
    reason: ['text', lines.map(() => reason)],
    order_id: ['bigint', lines.map(({ orderId }) => orderId)],
    order_detail_id: ['bigint', lines.map(({ id }) => id)],
    created_at: ['timestamptz', lines.map(({ order }) => order.date)],
  });
}
