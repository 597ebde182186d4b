import { randomUUID } from 'node:crypto';
import { registration, type Customer, type Headers, type Shop } from './shop-under-contract.ts';

/** What is asked of an operation. */
export type Ask = {
  readonly as: Headers;
  /** In the path, where there is one. */
  readonly id?: number;
  readonly query?: Readonly<Record<string, string>>;
  readonly body?: unknown;
};

export type Asks = Readonly<Record<string, (shop: Shop) => Promise<Ask>>>;

/** An order for one piece, whatever it refers to made for it. */
async function ordered(shop: Shop): Promise<{ customer: Customer; productId: number; orderId: number; lineId: number }> {
  const customer = await shop.customer();
  const productId = await product(shop);
  const lines = [{ product_id: productId, quantity: 2 }];
  const { id: orderId, json } = await shop.make('/orders', customer.as, { client_id: customer.id, delivery_method: 1, lines });
  return { customer, productId, orderId, lineId: json['lines'][0].id_key };
}

const product = async (shop: Shop, stock = 5): Promise<number> =>
  (await shop.make('/products', shop.operator, { name: `Lamp ${randomUUID()}`, price: 19.99, stock })).id;
const category = async (shop: Shop): Promise<number> => (await shop.make('/categories', shop.operator, { name: randomUUID() })).id;
const address = async (shop: Shop): Promise<number> =>
  (await shop.make('/addresses', shop.operator, { street: 'Calle Mayor', client_id: (await shop.customer()).id })).id;
const review = async (shop: Shop): Promise<number> =>
  (await shop.make('/reviews', shop.operator, { rating: 4.5, product_id: await product(shop) })).id;
const bill = async (shop: Shop): Promise<number> =>
  (await shop.make('/bills', shop.operator, { payment_type: 1, client_id: (await shop.customer()).id })).id;

const list = (shop: Shop): Promise<Ask> => Promise.resolve({ as: shop.operator, query: { limit: '2' } });
const one =
  (make: (shop: Shop) => Promise<number>, body?: object) =>
  async (shop: Shop): Promise<Ask> => ({ as: shop.operator, id: await make(shop), ...(body && { body }) });

const orderOf = async (shop: Shop): Promise<number> => (await ordered(shop)).orderId;
const lineOf = async (shop: Shop): Promise<number> => (await ordered(shop)).lineId;

/** For each operation a request that it does, of things of its own. PATCH is asked as PUT is. */
export const done: Asks = {
  'GET /clients': list,
  'GET /clients/{id}': one(async (shop) => (await shop.customer()).id),
  'POST /clients': (shop) => Promise.resolve({ as: shop.loadtest, body: registration() }),
  'PUT /clients/{id}': one(async (shop) => (await shop.customer()).id, { lastname: 'Byron', telephone: '+34600000000' }),
  'DELETE /clients/{id}': one(async (shop) => (await shop.customer()).id),
  'POST /clients/login': async (shop) => {
    const { email, password } = await shop.member();
    return { as: {}, body: { email, password } };
  },
  'POST /clients/refresh': async (shop) => ({ as: {}, body: { refresh_token: (await shop.member()).refreshToken } }),
  'POST /clients/forgot-password': () => Promise.resolve({ as: {}, body: { email: registration().email } }),
  'POST /clients/reset-password': async (shop) => {
    const { email } = await shop.member();
    const token = await shop.resetToken(email);
    return { as: {}, body: { reset_token: token, new_password: `${randomUUID()} is new` } };
  },
  'DELETE /clients/{id}/sessions': async (shop) => shop.member().then(({ id, as }) => ({ id, as })),
  'PUT /clients/{id}/password': async (shop) => {
    const { id, as, password } = await shop.member();
    return { id, as, body: { current_password: password, new_password: `${randomUUID()} is new` } };
  },
  'GET /addresses': list,
  'GET /addresses/{id}': one(address),
  'POST /addresses': async (shop) => ({ as: shop.operator, body: { city: 'Granada', client_id: (await shop.customer()).id } }),
  'PUT /addresses/{id}': one(address, { number: '12 B', street: null }),
  'DELETE /addresses/{id}': one(address),
  'GET /categories': list,
  'GET /categories/{id}': one(category),
  'POST /categories': (shop) => Promise.resolve({ as: shop.operator, body: { name: randomUUID() } }),
  'PUT /categories/{id}': async (shop) => ({ as: shop.operator, id: await category(shop), body: { name: randomUUID() } }),
  'DELETE /categories/{id}': one(category),
  'GET /products': list,
  'GET /products/filter': async (shop) => {
    const found = { as: {}, query: { search: 'lamp', min_price: '1', max_price: '100.50', in_stock_only: 'true', sort_by: 'price_asc' } };
    await product(shop);
    return found;
  },
  'GET /products/{id}': one(product),
  'POST /products': async (shop) => ({
    as: shop.operator,
    body: { name: 'Lamp', description: 'Of brass.', price: 0.01, stock: 3, category_id: await category(shop) },
  }),
  'PUT /products/{id}': one(product, { price: 21.5, stock: 7 }),
  'DELETE /products/{id}': one(product),
  'GET /reviews': list,
  'GET /reviews/{id}': one(review),
  'POST /reviews': async (shop) => {
    const [{ as }, productId] = await Promise.all([shop.customer(), product(shop)]);
    return { as, body: { rating: 5, comment: 'Shines as it should.', product_id: productId } };
  },
  'PUT /reviews/{id}': one(review, { rating: 1.5 }),
  'DELETE /reviews/{id}': one(review),
  'GET /bills': list,
  'GET /bills/{id}': one(bill),
  'POST /bills': async (shop) => {
    const { id, as } = await shop.customer();
    return { as, body: { payment_type: 2, client_id: id, date: '2026-11-26', total: 1 } };
  },
  'PUT /bills/{id}': one(bill, { discount: 1.25 }),
  'DELETE /bills/{id}': one(bill),
  'GET /orders': list,
  'GET /orders/{id}': one(orderOf),
  'POST /orders': async (shop) => {
    const [{ id, as }, productId] = await Promise.all([shop.customer(), product(shop)]);
    const lines = [{ product_id: productId, quantity: 2 }];
    return { as, body: { client_id: id, delivery_method: 3, lines, total: 39.98, bill: { payment_type: 2 } } };
  },
  'PUT /orders/{id}': one(orderOf, { delivery_method: 2 }),
  'DELETE /orders/{id}': one(orderOf),
  'POST /orders/{id}/cancel': one(orderOf),
  'POST /orders/{id}/refunds': async (shop) => {
    const { orderId, lineId } = await ordered(shop);
    for (const status of [2, 3]) await change(shop, `/orders/${orderId}`, { status });
    return { as: shop.operator, id: orderId, body: { lines: [{ line_id: lineId, quantity: 1 }] } };
  },
  'GET /orders/{id}/events': one(orderOf),
  'GET /order_details': list,
  'GET /order_details/{id}': one(lineOf),
  'POST /order_details': async (shop) => {
    const [{ customer, orderId }, productId] = await Promise.all([ordered(shop), product(shop)]);
    return { as: customer.as, body: { quantity: 1, order_id: orderId, product_id: productId, price: 19.99 } };
  },
  'PUT /order_details/{id}': one(lineOf, { quantity: 3 }),
  'DELETE /order_details/{id}': one(lineOf),
};

async function change(shop: Shop, target: string, body: object): Promise<void> {
  const headers = { ...shop.operator, 'if-match': '*' };
  const { status, text } = await shop.send({ method: 'PUT', target, headers, body: JSON.stringify(body) });
  if (status !== 200) throw new Error(`PUT ${target} was answered ${status}: ${text}`);
}

const canceled = async (shop: Shop): Promise<{ orderId: number; lineId: number }> => {
  const made = await ordered(shop);
  await change(shop, `/orders/${made.orderId}`, { status: 4 });
  return made;
};

/** Requests that the state of things refuses. Where there is none, a key that is still being worked on is. */
export const conflicting: Asks = {
  'PUT /clients/{id}': async (shop) => {
    const [{ id }, { email }] = await Promise.all([shop.customer(), shop.member()]);
    return { as: shop.operator, id, body: { email: email.toUpperCase() } };
  },
  'PUT /categories/{id}': async (shop) => {
    const name = randomUUID();
    await shop.make('/categories', shop.operator, { name });
    return { as: shop.operator, id: await category(shop), body: { name } };
  },
  'DELETE /categories/{id}': async (shop) => {
    const id = await category(shop);
    await shop.make('/products', shop.operator, { name: 'Lamp', price: 1, category_id: id });
    return { as: shop.operator, id };
  },
  'DELETE /products/{id}': async (shop) => ({ as: shop.operator, id: (await ordered(shop)).productId }),
  'PUT /bills/{id}': async (shop) => {
    const number = randomUUID();
    await shop.make('/bills', shop.operator, { payment_type: 1, client_id: (await shop.customer()).id, bill_number: number });
    return { as: shop.operator, id: await bill(shop), body: { bill_number: number } };
  },
  'DELETE /bills/{id}': async (shop) => {
    const { id, as } = await shop.customer();
    const { json } = await shop.make('/orders', as, { client_id: id, delivery_method: 1, bill: { payment_type: 1 } });
    return { as: shop.operator, id: json['bill_id'] };
  },
  'PUT /orders/{id}': async (shop) => ({ as: shop.operator, id: (await canceled(shop)).orderId, body: { status: 2 } }),
  'DELETE /orders/{id}': async (shop) => {
    const { orderId: id } = await ordered(shop);
    await change(shop, `/orders/${id}`, { status: 2 });
    return { as: shop.operator, id };
  },
  'PUT /order_details/{id}': async (shop) => ({ as: shop.operator, id: await lineOf(shop), body: { quantity: 99_999 } }),
  'DELETE /order_details/{id}': async (shop) => ({ as: shop.operator, id: (await canceled(shop)).lineId }),
};

const nobody = 999_999_999;
const asCustomer = async (shop: Shop, ask: Omit<Ask, 'as'>): Promise<Ask> => ({ as: (await shop.customer()).as, ...ask });
const ofNobody = (shop: Shop): Promise<Ask> => asCustomer(shop, { query: { client_id: String(nobody) } });

/** Requests about what does not exist, where that does not stand in the path. */
export const missing: Asks = {
  'GET /addresses': ofNobody,
  'GET /bills': ofNobody,
  'GET /orders': ofNobody,
  'POST /addresses': (shop) => Promise.resolve({ as: shop.operator, body: { client_id: nobody } }),
  'POST /products': (shop) => Promise.resolve({ as: shop.operator, body: { name: 'Lamp', price: 1, category_id: nobody } }),
  'POST /reviews': (shop) => Promise.resolve({ as: shop.operator, body: { rating: 1, product_id: nobody } }),
  'POST /bills': (shop) => Promise.resolve({ as: shop.operator, body: { payment_type: 1, client_id: nobody } }),
  'POST /orders': (shop) => Promise.resolve({ as: shop.operator, body: { client_id: nobody, delivery_method: 1 } }),
  'POST /order_details': async (shop) => ({ as: shop.operator, body: { quantity: 1, order_id: nobody, product_id: await product(shop) } }),
};
/** In the path of every operation that has an id. */
export const nobodysId = nobody;
