// A whole shop, small as it is: its answers and all ways to misbehave belong together, so it is long.

import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createShelf, type Goods, type Product, type ProductQuery } from '#loadtest/scenarios/shop/shelf.ts';

/** How a fake shop answers one request; anything it leaves out is done rightly and at once. */
export type Behaviour = {
  readonly delayMs?: number;
  readonly status?: number;
  readonly body?: string;
  /** Makes of the right body another. */
  readonly change?: (body: string) => string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Says yes to an order and does not keep it. */
  readonly forget?: true;
  /** `reset` tears the connection, `fin` closes it politely before the answer, `half` after half of it; `hang` never answers. */
  readonly instead?: 'reset' | 'fin' | 'half' | 'hang';
};

export type FakeRequest = {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};

export type FakeApi = {
  readonly origin: string;
  /** What virtual users have asked for; set-up and clean-up stand apart. */
  readonly requests: FakeRequest[];
  /** How long each of them took by the clock of this server, from its arrival to just before its answer leaves. */
  readonly servedMs: number[];
  readonly connections: () => number;
  /** Accounts made and not deleted. */
  readonly accounts: () => number;
  /** Pieces sold and not taken back. */
  readonly sold: () => number;
  readonly close: () => Promise<void>;
};

/** Sees a request of a virtual user and its number, from 0. */
export type Behave = (number: number, request: FakeRequest) => Behaviour;

/** A small shop on a free port that serves a whole load test and misbehaves toward virtual users, or before they come, as told. */
export async function startFakeApi(behave: Behave = () => ({}), behaveInSetUp: Behave = () => ({})): Promise<FakeApi> {
  const shop = createShop();
  const requests: FakeRequest[] = [];
  const servedMs: number[] = [];
  let connections = 0;
  let isOver = false;
  let inSetUp = 0;
  const server = createServer((incoming, response) => {
    const cameMs = performance.now();
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const { method = '', url = '', headers } = incoming;
      const request = { method, url, headers, body: Buffer.concat(chunks).toString('utf8') };
      // From then on it is the load test that reads the books, in the users' names.
      isOver ||= /\/orders\?.*limit=1000/.test(url);
      const isUsers = headers.authorization !== undefined && !isOver;
      const isSetUp = requests.length === 0 && url !== '/livez';
      const behaviour = isUsers ? behave(requests.push(request) - 1, request) : isSetUp ? behaveInSetUp((inSetUp += 1) - 1, request) : {};
      const answer = (): void => {
        if (isUsers) servedMs.push(performance.now() - cameMs);
        respond(incoming.socket, response, shop.answer(request, behaviour.forget ?? isRefusal(behaviour)), behaviour);
      };
      if (behaviour.delayMs === undefined) answer();
      else setTimeout(answer, behaviour.delayMs);
    });
  });
  server.on('connection', () => (connections += 1));
  await new Promise<void>((resolve) => {
    server.listen({ port: 0, host: '127.0.0.1', backlog: 1_024 }, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    requests,
    servedMs,
    connections: () => connections,
    accounts: () => shop.accounts.size,
    sold: shop.sold,
    close: () => close(server),
  };
}

/** What limits the rate does so before any work. */
const isRefusal = ({ status }: Behaviour): boolean => status === 429;

type RightAnswer = { readonly status: number; readonly body: string; readonly headers: Readonly<Record<string, string>> };

const etag = { etag: '"1"' };
const json = (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): RightAnswer => ({
  status,
  body: typeof body === 'string' ? body : JSON.stringify(body),
  headers: { 'content-type': status < 400 ? 'application/json' : 'application/problem+json', ...headers },
});
const notFound = json(404, { status: 404, code: 'not_found' });

/** What the fake shop sells; the tests' own crowd knows it too. */
export const fakeGoods: Goods = {
  products: Array.from({ length: 20 }, (_, i) => ({
    id: i + 1,
    name: `Reading lamp ${String.fromCodePoint(65 + i)}`,
    description: null,
    priceCents: 100 * (i + 1) + 99,
    stock: 1_000,
    categoryId: (i % 2) + 1,
    version: 1,
  })),
  categories: [
    { id: 1, name: 'Lamps' },
    { id: 2, name: 'Reading' },
  ],
};

type FakeLine = { readonly product_id: number; readonly quantity: number };
type FakeOrder = {
  readonly owner: string;
  readonly json: { readonly id_key: number; readonly lines: readonly FakeLine[] } & Readonly<Record<string, unknown>>;
};

function createShop() {
  const accounts = new Set<number>();
  const orders = new Map<string, FakeOrder>();
  const shelf = createShelf(fakeGoods);
  const sold = new Map<number, number>();
  let lastAccount = 0;
  let lastForgotten = 0;

  const product = (id: number): object => {
    const { name, description, priceCents, stock, categoryId } = shelf.product(id) as Product;
    return {
      id_key: id,
      name,
      description,
      price: priceCents / 100,
      stock: stock - (sold.get(id) ?? 0),
      category_id: categoryId,
      version: 1,
    };
  };
  const orderOf = (text: string, id: number): FakeOrder['json'] => {
    const { client_id, delivery_method, lines = [] } = JSON.parse(text) as OrderBody;
    const priced = lines.map(({ product_id, quantity }, i) => {
      const { name = '', priceCents = 0 } = shelf.product(product_id) ?? {};
      return { id_key: 10 * id + i, product_id, product_name: name, quantity, price: priceCents / 100 };
    });
    const cents = priced.reduce((sum, { quantity, price }) => sum + quantity * Math.round(100 * price), 0);
    const head = { id_key: id, date: '2026-01-01T00:00:00.000Z', total: cents / 100, delivery_method, status: 1 };
    return { ...head, client_id, version: 1, lines: priced };
  };
  const place = ({ headers, body }: FakeRequest, forget: boolean): RightAnswer => {
    const key = String(headers['idempotency-key']);
    const known = orders.get(key);
    const id = known?.json.id_key ?? (forget ? 1_000_000 + (lastForgotten += 1) : orders.size + 1);
    const order = known ?? { owner: headers.authorization ?? '', json: orderOf(body, id) };
    if (!forget && !known) {
      orders.set(key, order);
      for (const line of (JSON.parse(body) as OrderBody).lines ?? [])
        sold.set(line.product_id, (sold.get(line.product_id) ?? 0) + line.quantity);
    }
    return json(201, order.json, { ...etag, location: `/api/v1/orders/${id}`, ...(known && { 'idempotency-replayed': 'true' }) });
  };
  const register = (): RightAnswer => {
    accounts.add((lastAccount += 1));
    return json(201, { id_key: lastAccount, access_token: `token-${lastAccount}` });
  };
  const cancel = (path: string, owner: string | undefined): RightAnswer => {
    const [key, order] = [...orders].find(([, known]) => path.endsWith(`/${known.json.id_key}/cancel`) && known.owner === owner) ?? [];
    if (key === undefined || !order) return notFound;
    for (const { product_id: id, quantity } of order.json.lines) sold.set(id, (sold.get(id) ?? 0) - quantity);
    const canceled = { ...order, json: { ...order.json, status: 4 } };
    orders.set(key, canceled);
    return json(200, canceled.json, etag);
  };
  const ownOrders = (owner: string | undefined, search: URLSearchParams): RightAnswer => {
    const own = [...orders.values()].filter((order) => order.owner === owner).map((order) => ({ ...order.json, lines: undefined }));
    const skip = Number(search.get('skip') ?? 0);
    return json(200, own.slice(skip, skip + Number(search.get('limit') ?? 100)));
  };
  const one = (path: string, owner: string | undefined): RightAnswer => {
    const id = Number(path.split('/').at(-1));
    if (path.includes('/products/')) return shelf.product(id) ? json(200, product(id), etag) : notFound;
    const order = [...orders.values()].find((known) => known.json.id_key === id && known.owner === owner);
    return order ? json(200, order.json, etag) : notFound;
  };

  return {
    accounts,
    sold: () => [...sold.values()].reduce((sum, pieces) => sum + pieces, 0),
    answer: (request: FakeRequest, forget = false): RightAnswer => {
      const { pathname: path, searchParams } = new URL(request.url, 'http://fake');
      const { authorization } = request.headers;
      if (request.method === 'DELETE') return accounts.delete(Number(path.split('/').at(-1))) ? json(204, '') : notFound;
      if (path.endsWith('/cancel')) return cancel(path, authorization);
      if (request.method === 'POST') return path.endsWith('/clients') ? register() : place(request, forget);
      if (/\d$/.test(path)) return one(path, authorization);
      if (path.endsWith('/orders')) return ownOrders(authorization, searchParams);
      if (path.endsWith('/categories'))
        return json(
          200,
          fakeGoods.categories.map(({ id, name }) => ({ id_key: id, name, version: 1 })),
        );
      return json(200, (shelf.idsFor(queryOf(searchParams))[0] ?? []).map(product));
    },
  };
}

type OrderBody = { client_id: number; delivery_method: number; lines?: { product_id: number; quantity: number }[] };

function queryOf(search: URLSearchParams): ProductQuery {
  const number = (name: string): number | undefined => (search.has(name) ? Number(search.get(name)) : undefined);
  const cents = (name: string): number | undefined => (search.has(name) ? Math.round(100 * Number(search.get(name))) : undefined);
  const given = {
    sortBy: search.get('sort_by') ?? undefined,
    categoryId: number('category_id'),
    search: search.get('search') ?? undefined,
    minPriceCents: cents('min_price'),
    maxPriceCents: cents('max_price'),
  };
  const known = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  return { ...known, skip: number('skip') ?? 0, limit: number('limit') ?? 100 };
}

let lastRequest = 0;

function respond(socket: Socket, response: ServerResponse, right: RightAnswer, behaviour: Behaviour): void {
  if (behaviour.instead === 'hang') return;
  if (behaviour.instead === 'reset') {
    socket.resetAndDestroy();
    return;
  }
  if (behaviour.instead === 'fin') {
    socket.end();
    return;
  }
  const body = behaviour.body ?? behaviour.change?.(right.body) ?? right.body;
  response.writeHead(behaviour.status ?? right.status, {
    ...right.headers,
    'x-request-id': `r-${(lastRequest += 1)}`,
    'content-length': Buffer.byteLength(body),
    ...behaviour.headers,
  });
  if (behaviour.instead === 'half') {
    response.write(body.slice(0, Math.ceil(body.length / 2)));
    setTimeout(() => socket.end(), 5);
  } else response.end(body);
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
