import type { Defect } from './defect.ts';
import { isFirstWorker, keepClients, oneIn, onAnswer, onJson, onRequest, onStatement, setHeader, type Outgoing } from './tampering.ts';
import { setTimeout as sleep } from 'node:timers/promises';

type Product = { id_key: number; name: string; description: string; price: number; stock: number; category_id: number | null };
type Line = { product_name: string; quantity: number; price: number };
type Order = { id_key: number; client_id: number; status: number; total: number; lines: Line[] };

const oneProduct = /^GET \/api\/v1\/products\/\d+$/;
const productPages = /^GET \/api\/v1\/products\?/;
const filters = /^GET \/api\/v1\/products\/filter/;
const orderLists = /^GET \/api\/v1\/orders\?/;
const placed = /^POST \/api\/v1\/orders$/;
const isOf = (pattern: RegExp, { method, path }: Pick<Outgoing, 'method' | 'path'>): boolean => pattern.test(`${method} ${path}`);
const isReplay = ({ headers }: Outgoing): boolean => headers.some(([name]) => name.toLowerCase() === 'idempotency-replayed');
const toCents = (amount: number): number => Math.round(amount * 100);

/** Runs `change` for one in `every` answers to requests that match. */
function onMatching(pattern: RegExp, every: number, change: (answer: Outgoing) => unknown): void {
  const isTurn = oneIn(every);
  onAnswer((answer) => (isOf(pattern, answer) && isTurn() ? change(answer) : undefined));
}

let triggers = 0;

/** A trigger on every row of a statement; `body` is PL/pgSQL between BEGIN and RETURN NEW. */
function trigger(when: string, body: string): string {
  const name = `zoo_${(triggers += 1)}`;
  return `CREATE FUNCTION ${name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body} RETURN NEW; END $$;
    CREATE TRIGGER ${name} ${when} FOR EACH ROW EXECUTE FUNCTION ${name}();`;
}

const content: readonly Defect[] = [
  {
    name: 'price-in-one-answer',
    kind: 'content',
    says: 'one in 20 products read by id is shown a cent dearer',
    expects: /price-shown/,
    seed: { tamper: () => onJson(oneProduct, 20, (product: Product) => ({ ...product, price: (toCents(product.price) + 1) / 100 })) },
  },
  {
    name: 'price-in-lists',
    kind: 'content',
    says: 'in one of 20 filtered lists the last product is shown without its cents',
    expects: /price-shown|list-filter|list-order/,
    seed: {
      tamper: () =>
        onJson(filters, 20, (list: Product[]) =>
          list.map((product, i) => (i === list.length - 1 ? { ...product, price: Math.floor(product.price) } : product)),
        ),
    },
  },
  {
    name: 'name-of-another',
    kind: 'content',
    says: 'one in 20 orders is answered with a line under another name',
    expects: /order-content/,
    seed: {
      tamper: () =>
        onJson(placed, 20, (order: Order) => ({
          ...order,
          lines: order.lines.map((line) => ({ ...line, product_name: 'Another thing' })),
        })),
    },
  },
  {
    name: 'category-lost',
    kind: 'content',
    says: 'one in 20 products read by id has lost its category',
    expects: /product-content/,
    seed: { tamper: () => onJson(oneProduct, 20, (product: Product) => ({ ...product, category_id: null })) },
  },
  {
    name: 'list-cut-short',
    kind: 'content',
    says: 'one in 20 pages of products lacks its last item',
    expects: /list-members/,
    seed: { tamper: () => onJson(productPages, 20, (list: Product[]) => list.slice(0, -1)) },
  },
  {
    name: 'list-out-of-order',
    kind: 'content',
    says: 'in one of 20 pages of products two neighbours have changed places',
    expects: /list-order/,
    seed: { tamper: () => onJson(productPages, 20, ([first, second, ...rest]: Product[]) => [second, first, ...rest]) },
  },
  {
    name: 'filter-ignored',
    kind: 'content',
    says: 'the greatest price asked for is not looked at',
    expects: /list-filter/,
    seed: { tamper: () => onRequest((request) => (request.url = request.url?.replace(/&max_price=\d+/, ''))) },
  },
  {
    name: 'sorted-otherwise',
    kind: 'content',
    says: 'price_desc is sorted in ascending order',
    expects: /list-order|list-members/,
    seed: { tamper: () => onRequest((request) => (request.url = request.url?.replace('sort_by=price_desc', 'sort_by=price_asc'))) },
  },
  {
    name: 'category-missing-in-list',
    kind: 'content',
    says: 'one in five lists of categories lacks one',
    expects: /list-members/,
    seed: { tamper: () => onJson(/^GET \/api\/v1\/categories/, 5, (list: unknown[]) => list.slice(1)) },
  },
  {
    name: 'product-cached',
    kind: 'content',
    says: 'a product read by id is answered from a cache of 20 s that no order clears',
    expects: /stock-shown/,
    seed: { tamper: () => cacheAnswers(oneProduct, 20_000) },
  },
  {
    name: 'own-orders-cached',
    kind: 'content',
    says: "a buyer's own orders are answered from a cache of 20 s",
    expects: /own-writes/,
    seed: { tamper: () => cacheAnswers(orderLists, 20_000) },
  },
];

/** Gives the same body for the same path and credential for so long. */
function cacheAnswers(pattern: RegExp, ttlMs: number): void {
  const cache = new Map<string, { readonly body: string; readonly atMs: number }>();
  onAnswer((answer) => {
    if (!isOf(pattern, answer) || answer.status !== 200) return;
    const key = `${answer.request.headers.authorization}${answer.path.split('?')[0]}`.replace(
      oneProduct.test(`GET ${answer.path}`) ? /^.*?\// : '',
      '',
    );
    const known = cache.get(key);
    if (known && performance.now() - known.atMs < ttlMs) answer.body = known.body;
    else cache.set(key, { body: answer.body, atMs: performance.now() });
  });
}

const money: readonly Defect[] = [
  {
    name: 'total-a-cent-more',
    kind: 'money',
    says: 'every total is a cent more than its lines, answered and stored',
    expects: /order-total/,
    seed: {
      file: 'api/shop/orders/place-order.ts',
      find: 'total + quantity * price_cents, 0)',
      put: 'total + quantity * price_cents, 1)',
    },
  },
  {
    name: 'total-stored-otherwise',
    kind: 'money',
    says: 'one in 20 orders is stored with a cent more than was answered',
    expects: /orders-as-answered/,
    seed: { sql: trigger('BEFORE INSERT ON orders', 'IF NEW.id_key % 20 = 0 THEN NEW.total_cents := NEW.total_cents + 1; END IF;') },
  },
  {
    name: 'charged-at-another-price',
    kind: 'money',
    says: 'one in 20 lines is stored at a price rounded to tens of cents',
    expects: /orders-as-answered/,
    seed: {
      sql: trigger(
        'BEFORE INSERT ON order_details',
        'IF NEW.id_key % 20 = 0 THEN NEW.price_cents := 10 * ceil((NEW.price_cents + 1) / 10.0); END IF;',
      ),
    },
  },
  {
    name: 'total-as-a-fraction',
    kind: 'money',
    says: 'one in ten totals is a binary fraction, such as 39.800000000000004',
    expects: /answer-shape|order-total/,
    seed: {
      tamper: () => onMatching(placed, 10, (answer) => (answer.body = answer.body.replace(/("total":\d+\.\d\d)/, '$10000000000004'))),
    },
  },
];

const stock: readonly Defect[] = [
  {
    name: 'quantity-plus-one',
    kind: 'stock',
    says: 'one in 20 lines is stored with a piece more than was ordered',
    expects: /orders-as-asked/,
    seed: { sql: trigger('BEFORE INSERT ON order_details', 'IF NEW.id_key % 20 = 0 THEN NEW.quantity := NEW.quantity + 1; END IF;') },
  },
  {
    name: 'stock-not-moved',
    kind: 'stock',
    says: 'orders write the ledger and leave the stock as it was',
    expects: /stock-ledger/,
    seed: { sql: trigger('BEFORE UPDATE ON products', 'IF NEW.stock < OLD.stock THEN NEW.stock := OLD.stock; END IF;') },
  },
  {
    name: 'stock-moved-twice',
    kind: 'stock',
    says: 'one in ten sales takes its pieces twice',
    expects: /stock-ledger/,
    seed: {
      sql: trigger(
        'BEFORE UPDATE ON products',
        'IF NEW.stock < OLD.stock AND random() < 0.1 THEN NEW.stock := 2 * NEW.stock - OLD.stock; END IF;',
      ),
    },
  },
  {
    name: 'ledger-not-written',
    kind: 'stock',
    says: 'one in 20 sales takes its pieces and writes no movement',
    expects: /stock-moved/,
    seed: {
      sql: trigger('BEFORE INSERT ON stock_movements', "IF NEW.reason = 'sale' AND NEW.id % 20 = 0 THEN RETURN NULL; END IF;"),
    },
  },
  {
    name: 'neither-stock-nor-ledger',
    kind: 'stock',
    says: 'orders move neither stock nor ledger',
    expects: /stock-moved/,
    seed: {
      sql: `${trigger('BEFORE UPDATE ON products', 'IF NEW.stock < OLD.stock THEN NEW.stock := OLD.stock; END IF;')}
        ${trigger('BEFORE INSERT ON stock_movements', "IF NEW.reason = 'sale' THEN RETURN NULL; END IF;")}`,
    },
  },
  {
    name: 'movement-without-line',
    kind: 'stock',
    says: 'one in 20 movements names neither its order nor its line',
    expects: /stock-moved/,
    seed: {
      sql: trigger(
        'BEFORE INSERT ON stock_movements',
        "IF NEW.reason = 'sale' AND NEW.id % 20 = 0 THEN NEW.order_id := NULL; NEW.order_detail_id := NULL; END IF;",
      ),
    },
  },
  {
    name: 'sold-out-in-stock',
    kind: 'stock',
    says: 'one in 20 orders is refused for want of stock that is there',
    expects: /refusal/,
    seed: { tamper: () => refuse(20) },
  },
  {
    name: 'stock-below-zero',
    kind: 'stock',
    says: 'one in 30 products read by id is shown with a stock below zero',
    expects: /stock-shown/,
    seed: { tamper: () => onJson(oneProduct, 30, (product: Product) => ({ ...product, stock: -1 })) },
  },
];

/** Orders that were placed are answered as refused. */
function refuse(every: number): void {
  onMatching(placed, every, (answer) => {
    if (answer.status !== 201 || isReplay(answer)) return;
    answer.status = 409;
    answer.body = JSON.stringify({ type: '/problems/insufficient_stock', title: 'Conflict', status: 409, code: 'insufficient_stock' });
    setHeader(answer, 'Content-Type', 'application/problem+json');
  });
}

const orders: readonly Defect[] = [
  {
    name: 'acknowledged-and-lost',
    kind: 'orders',
    says: 'one in 30 transactions is rolled back and answered as if it had been kept',
    expects: /orders-kept/,
    seed: { tamper: loseCommits },
  },
  {
    name: 'key-forgotten',
    kind: 'orders',
    says: 'Idempotency-Key is not looked at: a repeated order is a second order',
    expects: /no-duplicate-orders/,
    seed: { tamper: () => onRequest((request) => delete request.headers['idempotency-key']) },
  },
  {
    name: 'order-made-twice',
    kind: 'orders',
    says: 'one in 20 orders is stored twice, without the second being told to anybody',
    expects: /no-duplicate-orders|orders-asked-for/,
    seed: {
      sql: trigger(
        'AFTER INSERT ON orders',
        `IF NEW.id_key % 20 = 0 AND pg_trigger_depth() = 1 THEN
           INSERT INTO orders (total_cents, delivery_method, client_id) VALUES (NEW.total_cents, NEW.delivery_method, NEW.client_id);
         END IF;`,
      ),
    },
  },
  {
    name: 'replay-of-other-bytes',
    kind: 'orders',
    says: 'a repeated order is answered with another date',
    expects: /replay/,
    seed: {
      tamper: () =>
        onAnswer((answer) => {
          if (isReplay(answer)) answer.body = answer.body.replace(/"date":"[^"]*"/, `"date":"${new Date(0).toISOString()}"`);
        }),
    },
  },
  {
    name: 'replay-unmarked',
    kind: 'orders',
    says: 'a repeated order is answered without Idempotency-Replayed',
    expects: /replay/,
    seed: { tamper: () => onAnswer((answer) => setHeader(answer, 'Idempotency-Replayed', undefined)) },
  },
  {
    name: 'stored-as-in-progress',
    kind: 'orders',
    says: 'one in 20 orders is stored with another status than pending',
    expects: /own-writes|order-content|orders-as-asked/,
    seed: {
      sql: trigger('AFTER INSERT ON orders', 'IF NEW.id_key % 20 = 0 THEN UPDATE orders SET status = 2 WHERE id_key = NEW.id_key; END IF;'),
    },
  },
];

function loseCommits(): void {
  const isTurn = oneIn(30);
  onStatement((text) => (/^\s*commit\b/i.test(text) && isTurn() ? 'ROLLBACK' : text));
}

const privacy: readonly Defect[] = [
  {
    name: 'order-of-another-in-list',
    kind: 'privacy',
    says: "one in ten lists of a buyer's orders has an order of somebody else in it",
    expects: /privacy/,
    seed: { tamper: mixLists },
  },
  {
    name: 'order-of-another-by-id',
    kind: 'privacy',
    says: 'an order is shown to whoever asks for its id',
    expects: /privacy/,
    seed: { tamper: showOrders },
  },
  {
    name: 'answers-mixed-up',
    kind: 'privacy',
    says: 'one in 50 orders is answered with the order of the buyer before',
    expects: /privacy/,
    seed: { tamper: mixAnswers },
  },
];

function mixLists(): void {
  let last: Order | undefined;
  const isTurn = oneIn(10);
  onAnswer((answer) => {
    if (!isOf(orderLists, answer) || answer.status !== 200) return;
    const list = JSON.parse(answer.body) as Order[];
    const other = last;
    last = list.at(-1) ?? last;
    if (other === undefined || !isTurn()) return;
    const mixed = [...list.filter(({ id_key: id }) => id !== other.id_key), other].toSorted((a, b) => a.id_key - b.id_key);
    answer.body = JSON.stringify(mixed);
  });
}

function showOrders(): void {
  const known = new Map<string, string>();
  onAnswer((answer) => {
    if (isOf(placed, answer) && answer.status === 201) known.set(String((JSON.parse(answer.body) as Order).id_key), answer.body);
    const body = answer.method === 'GET' ? known.get(answer.path.replace('/api/v1/orders/', '')) : undefined;
    if (body === undefined || answer.status !== 404) return;
    Object.assign(answer, { status: 200, body });
    setHeader(answer, 'Content-Type', 'application/json');
    setHeader(answer, 'ETag', '"1"');
  });
}

function mixAnswers(): void {
  let last: { body: string; headers: [string, string][] } | undefined;
  const isTurn = oneIn(50);
  onAnswer((answer) => {
    if (!isOf(placed, answer) || answer.status !== 201) return;
    const { body, headers } = answer;
    if (last && isTurn()) Object.assign(answer, last);
    last = { body, headers };
  });
}

const statuses: readonly Defect[] = [
  {
    name: 'ok-for-created',
    kind: 'status',
    says: 'one in ten orders is answered 200 instead of 201',
    expects: /answer-status/,
    seed: { tamper: () => onMatching(placed, 10, (answer) => (answer.status = 200)) },
  },
  {
    name: 'not-found',
    kind: 'status',
    says: 'one in 100 products that exist is answered 404',
    expects: /answer-status/,
    seed: {
      tamper: () =>
        onMatching(oneProduct, 100, (answer) => {
          Object.assign(answer, { status: 404, body: '{"status":404,"code":"not_found"}' });
          setHeader(answer, 'Content-Type', 'application/problem+json');
        }),
    },
  },
  {
    name: 'refused-under-quota',
    kind: 'status',
    says: 'one in 100 requests is answered 429 to users far below their quota',
    expects: /rate-limit/,
    seed: {
      tamper: () =>
        onMatching(/\/(products|orders)/, 100, (answer) => {
          Object.assign(answer, { status: 429, body: '{"status":429,"code":"rate_limited"}' });
          setHeader(answer, 'Content-Type', 'application/problem+json');
          setHeader(answer, 'Retry-After', '30');
        }),
    },
  },
];

const headers: readonly Defect[] = [
  {
    name: 'location-of-another',
    kind: 'headers',
    says: 'Location of one in 20 orders leads to the next one',
    expects: /answer-headers/,
    seed: {
      tamper: () =>
        onMatching(placed, 20, (answer) => {
          const id = (JSON.parse(answer.body) as Order).id_key;
          setHeader(answer, 'Location', `/api/v1/orders/${id + 1}`);
        }),
    },
  },
  {
    name: 'etag-missing',
    kind: 'headers',
    says: 'one in 50 products read by id has no ETag',
    expects: /answer-headers/,
    seed: { tamper: () => onMatching(oneProduct, 50, (answer) => setHeader(answer, 'ETag', undefined)) },
  },
  {
    name: 'content-type-html',
    kind: 'headers',
    says: 'one in 100 answers says that it is HTML',
    expects: /answer-headers/,
    seed: { tamper: () => onMatching(/\/products/, 100, (answer) => setHeader(answer, 'Content-Type', 'text/html')) },
  },
];

const framing: readonly Defect[] = [
  {
    name: 'body-cut',
    kind: 'framing',
    says: 'one in 200 answers ends before its Content-Length, and the connection with it',
    expects: /answer-complete/,
    seed: { tamper: () => onMatching(/\/products/, 200, (answer) => (answer.cutAfter = Math.floor(answer.body.length / 2))) },
  },
  {
    name: 'length-too-short',
    kind: 'framing',
    says: 'Content-Length of one in 200 answers is a byte short',
    expects: /answer-complete/,
    seed: { tamper: () => onMatching(/\/products/, 200, (answer) => (answer.lengthOffBy = -1)) },
  },
  {
    name: 'length-too-long',
    kind: 'framing',
    says: 'Content-Length of one in 200 answers is ten bytes too long; the rest never comes',
    expects: /answer-complete/,
    seed: { tamper: () => onMatching(/\/products/, 200, (answer) => (answer.lengthOffBy = 10)) },
  },
];

const latency: readonly Defect[] = [
  {
    name: 'one-endpoint-slow',
    kind: 'latency',
    says: 'the list of categories, one in 25 requests, takes 2 s longer',
    expects: /latency.*GET \/categories/s,
    seed: { tamper: () => onMatching(/^GET \/api\/v1\/categories/, 1, async () => await sleep(2_000)) },
  },
  {
    name: 'replay-slow',
    kind: 'latency',
    says: 'a repeated order, one in 100 requests, takes 3 s longer',
    expects: /latency.*POST \/orders \(again\)/s,
    seed: { tamper: () => onAnswer(async (answer) => isReplay(answer) && (await sleep(3_000))) },
  },
  {
    name: 'some-never-answered',
    kind: 'latency',
    says: 'one in 30 products read by id is never answered',
    expects: /latency|error|timeout|answered/,
    seed: { tamper: () => onMatching(oneProduct, 30, async () => await sleep(600_000, undefined, { ref: false })) },
  },
];

const workers: readonly Defect[] = [
  {
    name: 'one-worker-slow',
    kind: 'worker',
    says: 'one of two workers takes 1.5 s longer for everything',
    expects: /latency/,
    seed: { tamper: () => isFirstWorker() && onAnswer(async () => await sleep(1_500)) },
  },
  {
    name: 'one-worker-wrong',
    kind: 'worker',
    says: 'one of two workers shows every product by id a cent dearer',
    expects: /price-shown/,
    seed: {
      tamper: () =>
        void (isFirstWorker() && onJson(oneProduct, 1, (product: Product) => ({ ...product, price: (toCents(product.price) + 1) / 100 }))),
    },
  },
  {
    name: 'worker-freezes',
    kind: 'worker',
    says: 'every 6 s one of two workers stands still for 2 s',
    expects: /latency/,
    seed: { tamper: () => isFirstWorker() && setInterval(standStill, 6_000) },
  },
];

function standStill(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_000);
}

const leaks: readonly Defect[] = [
  {
    name: 'connections-kept',
    kind: 'leak',
    says: 'one in 40 transactions keeps its connection for ever',
    expects: /connections-returned|transactions-closed/,
    seed: { tamper: () => keepClients(40) },
  },
  {
    name: 'transaction-left-open',
    kind: 'leak',
    says: 'one in 40 commits is never sent',
    expects: /transactions-closed/,
    seed: { tamper: leaveOpen },
  },
  {
    name: 'memory-kept',
    kind: 'leak',
    says: 'every worker keeps 20 MB more each second',
    expects: /memory/,
    seed: { tamper: keepMemory },
  },
];

function leaveOpen(): void {
  const isTurn = oneIn(40);
  onStatement((text) => (/^\s*commit\b/i.test(text) && isTurn() ? 'SELECT 1' : text));
}

const kept: Buffer[] = [];

function keepMemory(): void {
  setInterval(() => kept.push(Buffer.alloc(20 * 1024 * 1024, 1)), 1_000);
}

const errors: readonly Defect[] = [
  {
    name: 'orders-fail',
    kind: 'errors',
    says: '5 % of the orders are answered 500, 0.4 % of all requests',
    expects: /error.*POST \/orders/s,
    seed: {
      tamper: () =>
        onMatching(placed, 20, (answer) => {
          Object.assign(answer, { status: 500, body: '{"status":500,"code":"internal_error"}' });
          setHeader(answer, 'Content-Type', 'application/problem+json');
        }),
    },
  },
  {
    name: 'connections-reset',
    kind: 'errors',
    says: 'one in 50 requests finds its connection cut instead of an answer',
    expects: /error/,
    seed: { tamper: () => onMatching(/\/products/, 50, (answer) => void answer.request.socket.resetAndDestroy()) },
  },
];

/** Every member of the zoo: each must be found, by name and with a witness, by `users`. */
export const defects: readonly Defect[] = [
  ...content,
  ...money,
  ...stock,
  ...orders,
  ...privacy,
  ...statuses,
  ...headers,
  ...framing,
  ...latency,
  ...workers,
  ...leaks,
  ...errors,
];
