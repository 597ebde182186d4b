import type { Claim } from './history.ts';
import type { AskedLine } from './look-at-orders.ts';
import { showCents, type Product } from './shelf.ts';
import type { Ledger, Movement, StoredBooks, StoredLine, StoredOrder, StoredProduct } from './stored-books.ts';

/** What the books must hold, by the name under which a report tells of it. */
export const bookRules = {
  'orders-kept': 'Every order the shop said yes to exists',
  'no-duplicate-orders': 'One Idempotency-Key, one order; one order, one key',
  'orders-asked-for': 'No order exists that nobody asked for, or that was refused',
  'orders-as-asked': 'Orders are stored as asked: buyer, products, quantities, delivery',
  'orders-as-answered': 'Orders are stored as answered: total and price of every line',
  'stock-moved': 'Every line moved the stock once, by its quantity',
  'stock-ledger': 'Stock of every product = sum of its movements',
  'stock-conserved': 'Stock at the end = stock at the start − what was sold + what came back',
  'no-oversell': 'No stock below zero',
} as const;

export type BookRule = keyof typeof bookRules;

/** One thing in the books that should not be, with what leads to it. */
export type Anomaly = {
  readonly rule: BookRule;
  /** For people: `order 17 was acknowledged and does not exist`. */
  readonly detail: string;
  readonly key?: string;
  readonly order?: number;
  readonly product?: number;
  readonly requestId?: string;
};

export type BooksToCheck = {
  readonly claims: readonly Claim[];
  readonly stored: StoredBooks;
  /** As shown before the run. */
  readonly products: readonly Product[];
  /** As shown after it. */
  readonly productsAfter: readonly Product[];
  /** Whether anybody but the run's buyers may have bought or changed something meanwhile. */
  readonly isShared: boolean;
};

/**
 * Holds what the buyers were told against what the shop has stored, id by id, and names everything that does not agree.
 * Requests of unknown outcome may have made one order or none. Pure.
 */
export function checkBooks(books: BooksToCheck): Anomaly[] {
  const { claims, stored } = books;
  const byId = indexOf(stored.orders);
  const prices = { before: indexOf(books.products), after: indexOf(books.productsAfter) };
  return [
    ...claims.flatMap((claim) => checkClaim(claim, byId)),
    ...checkKeys(claims),
    ...checkSurplus(claims, stored.orders),
    ...stored.orders.flatMap((order) => checkPrices(order, prices)),
    ...(stored.ledger ? checkLedger(books, stored.ledger) : []),
  ];
}

function checkLedger({ stored, products, isShared }: BooksToCheck, ledger: Ledger): Anomaly[] {
  const movements = Map.groupBy(ledger.movements, ({ order }) => order);
  return [
    ...stored.orders.flatMap((order) => checkMovements(order, movements.get(order.id) ?? [])),
    ...ledger.products.flatMap(checkStock),
    // What others sell and count in the same shop stands in the same ledger.
    ...(isShared ? [] : ledger.strayMovements.map(strayMovement)),
    ...(isShared ? [] : checkConserved(products, stored.orders, ledger.products)),
  ];
}

type Index<T> = ReadonlyMap<number, T>;

const indexOf = <T extends { readonly id: number }>(items: readonly T[]): Index<T> => new Map(items.map((item) => [item.id, item]));

function checkClaim({ asked, orders, totalCents, requestId }: Claim, byId: Index<StoredOrder>): Anomaly[] {
  return orders.flatMap((id): Anomaly[] => {
    const stored = byId.get(id);
    const at = { key: asked.key, order: id, ...(requestId !== null && { requestId }) };
    if (stored === undefined) return [{ rule: 'orders-kept', detail: `order ${id} was acknowledged and does not exist`, ...at }];
    const differs = differenceOf(asked, stored);
    const found: Anomaly[] =
      differs === undefined ? [] : [{ rule: 'orders-as-asked', detail: `order ${id} is stored with ${differs}`, ...at }];
    if (totalCents === null || totalCents === stored.totalCents) return found;
    const detail = `order ${id} was acknowledged with a total of ${showCents(totalCents)} and is stored with ${showCents(stored.totalCents)}`;
    return [...found, { rule: 'orders-as-answered', detail, ...at }];
  });
}

type Asked = Claim['asked'];

/** What is stored otherwise than asked, in words; undefined when nothing is. */
function differenceOf(asked: Asked, stored: StoredOrder): string | undefined {
  if (stored.client !== asked.client) return `client ${stored.client}, asked by ${asked.client}`;
  if (stored.deliveryMethod !== asked.deliveryMethod) return `delivery_method ${stored.deliveryMethod}, asked ${asked.deliveryMethod}`;
  const [is, should] = [showLines(stored.lines), showLines(asked.lines)];
  return is === should ? undefined : `${is}, asked ${should}`;
}

const showLines = (lines: readonly AskedLine[]): string =>
  lines.length === 0 ? 'no lines' : lines.map(({ product, quantity }) => `${quantity} × product ${product}`).join(', ');

function checkKeys(claims: readonly Claim[]): Anomaly[] {
  const keyOf = new Map<number, string>();
  const found: Anomaly[] = [];
  for (const { asked, orders } of claims) {
    if (orders.length > 1) {
      const detail = `key ${asked.key} was answered with orders ${orders.join(' and ')}`;
      found.push({ rule: 'no-duplicate-orders', detail, key: asked.key, order: orders[1] as number });
    }
    for (const order of orders) {
      const other = keyOf.get(order);
      if (other !== undefined) {
        const detail = `order ${order} was the answer to the keys ${other} and ${asked.key}`;
        found.push({ rule: 'no-duplicate-orders', detail, key: asked.key, order });
      }
      keyOf.set(order, asked.key);
    }
  }
  return found;
}

/** Orders of the run's buyers that were never acknowledged: each must be the effect of one request of unknown outcome. */
function checkSurplus(claims: readonly Claim[], orders: readonly StoredOrder[]): Anomaly[] {
  const acknowledged = new Set(claims.flatMap((claim) => claim.orders));
  const open = Map.groupBy(
    claims.filter(({ outcome }) => outcome === 'unknown'),
    ({ asked }) => likeness(asked),
  );
  const rest = orders.filter(({ id }) => !acknowledged.has(id));
  const unexplained = rest.filter((order) => open.get(likeness(order))?.shift() === undefined);
  const alike = Map.groupBy(claims, ({ asked }) => likeness(asked));
  return unexplained.map((order) => surplus(order, alike.get(likeness(order)) ?? [], claims));
}

/** The same for an order and the request that can have made it. */
const likeness = ({ client, deliveryMethod, lines }: Omit<Asked, 'key'>): string => `${client} ${deliveryMethod} ${showLines(lines)}`;

function surplus(order: StoredOrder, alike: readonly Claim[], claims: readonly Claim[]): Anomaly {
  const at = { order: order.id };
  const what = `order ${order.id} of client ${order.client} (${showLines(order.lines)})`;
  const twin = alike.find(({ outcome }) => outcome === 'acknowledged') ?? alike.find(({ outcome }) => outcome === 'unknown');
  if (twin) {
    const detail = `${what} exists beside ${twin.orders.length > 0 ? `order ${twin.orders.join(', ')}` : 'another'} for the one request with key ${twin.asked.key}`;
    return { rule: 'no-duplicate-orders', detail, key: twin.asked.key, ...at };
  }
  const refused = alike.find(({ outcome }) => outcome === 'refused');
  if (refused) return { rule: 'orders-asked-for', detail: `${what} exists, though it was refused`, key: refused.asked.key, ...at };
  const near = claims.find(({ asked, outcome }) => asked.client === order.client && outcome === 'unknown');
  return {
    rule: 'orders-asked-for',
    detail: `${what} exists and nobody asked for it`,
    ...(near && { key: near.asked.key }),
    ...at,
  };
}

type Prices = { readonly before: Index<Product>; readonly after: Index<Product> };

function checkPrices(order: StoredOrder, { before, after }: Prices): Anomaly[] {
  const { id, lines, totalCents } = order;
  const sum = lines.reduce((total, { quantity, priceCents }) => total + quantity * priceCents, 0);
  const found: Anomaly[] = [];
  if (sum !== totalCents) {
    const detail = `order ${id} is stored with a total of ${showCents(totalCents)}, its lines make ${showCents(sum)}`;
    found.push({ rule: 'orders-as-answered', detail, order: id });
  }
  for (const line of lines) {
    const wrong = wrongInLine(line, before.get(line.product), after.get(line.product));
    if (wrong) found.push({ rule: 'orders-as-answered', detail: `order ${id}: ${wrong}`, order: id, product: line.product });
  }
  return found;
}

/** A product changed by others meanwhile may have been sold at any price it had. */
function wrongInLine(line: StoredLine, before: Product | undefined, after: Product | undefined): string | undefined {
  if (before === undefined || after?.priceCents !== before.priceCents || after.name !== before.name) return undefined;
  if (line.priceCents !== before.priceCents)
    return `product ${line.product} was charged at ${showCents(line.priceCents)}, its price is ${showCents(before.priceCents)}`;
  return line.name === before.name
    ? undefined
    : `product ${line.product} is named ${JSON.stringify(line.name)}, not ${JSON.stringify(before.name)}`;
}

const canceled = 4;

/** One sale a line, and nothing else, unless the order was canceled since and its pieces came back. */
function checkMovements({ id, lines, status }: StoredOrder, movements: readonly Movement[]): Anomaly[] {
  const wrong = (detail: string, product: number): Anomaly => ({
    rule: 'stock-moved',
    detail: `order ${id}: ${detail}`,
    order: id,
    product,
  });
  const sales = movements.filter(({ reason }) => reason === 'sale');
  const found = lines.flatMap(({ id: line, product, quantity }) => {
    const moved = sales.filter((movement) => movement.line === line);
    const pieces = moved.reduce((sum, movement) => sum - movement.quantity, 0);
    if (moved.length === 1 && pieces === quantity && moved[0]?.product === product) return [];
    const what = moved.length === 0 ? 'moved nothing' : `moved ${pieces} pieces in ${moved.length} movements`;
    return [wrong(`line ${line}, ${quantity} of product ${product}, ${what}`, product)];
  });
  const own = new Set(lines.map((line) => line.id));
  const odd = movements.filter(({ line, reason }) => (reason === 'sale' ? line === null || !own.has(line) : status !== canceled));
  return [
    ...found,
    ...odd.map((movement) =>
      wrong(`movement ${movement.id} (${movement.reason}, ${movement.quantity}) belongs to no line`, movement.product),
    ),
  ];
}

const strayMovement = ({ id, product, quantity }: Movement): Anomaly => ({
  rule: 'stock-moved',
  detail: `movement ${id} took ${-quantity} of product ${product} for no order`,
  product,
});

function checkStock({ id, stock, moved }: StoredProduct): Anomaly[] {
  const found: Anomaly[] = [];
  if (stock !== moved) {
    const detail = `product ${id} has a stock of ${stock}, its movements make ${moved}`;
    found.push({ rule: 'stock-ledger', detail, product: id });
  }
  if (stock < 0) found.push({ rule: 'no-oversell', detail: `product ${id} has a stock of ${stock}`, product: id });
  return found;
}

function checkConserved(products: readonly Product[], orders: readonly StoredOrder[], now: readonly StoredProduct[]): Anomaly[] {
  const soldOf = new Map<number, number>();
  for (const { lines } of orders) for (const { product, quantity } of lines) soldOf.set(product, (soldOf.get(product) ?? 0) + quantity);
  const after = indexOf(now);
  return products.flatMap(({ id, stock }): Anomaly[] => {
    const stored = after.get(id);
    if (stored === undefined) return [{ rule: 'stock-conserved', detail: `product ${id} is gone`, product: id }];
    const sold = soldOf.get(id) ?? 0;
    if (stored.stock === stock - sold + stored.restocked) return [];
    const detail = `product ${id} was shown with ${stock} in stock, ${sold} were sold, and ${stored.stock} are left`;
    return [{ rule: 'stock-conserved', detail, product: id }];
  });
}
