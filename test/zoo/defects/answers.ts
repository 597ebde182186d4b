import type { Defect } from '../defect.ts';
import { type Product, type Order, oneProduct, productPages, filters, orderLists, placed, isOf, aCentMore, onMatching } from '../shop.ts';
import { oneIn, onAnswer, onJson, onRequest, setHeader } from '../tampering.ts';

/** Answers that are wrong: content, others' data, statuses, header fields. A list, so it is as long as it is. */

const content: readonly Defect[] = [
  {
    name: 'price-in-one-answer',
    kind: 'content',
    says: 'one in 20 products read by id is shown a cent dearer',
    expects: /price-shown/,
    seed: { tamper: () => onJson(oneProduct, 20, aCentMore) },
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

export const answers: readonly Defect[] = [...content, ...privacy, ...statuses, ...headers];
