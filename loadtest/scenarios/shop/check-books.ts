import { checkLedger } from './check-ledger.ts';
import type { Claim } from './history.ts';
import type { AskedLine } from './look-at-orders.ts';
import { showCents, type Product } from './shelf.ts';
import type { Anomaly, BooksToCheck, StoredLine, StoredOrder } from './stored-books.ts';

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
    const named = `${twin.orders.length === 1 ? 'order' : 'orders'} ${twin.orders.join(' and ')}`;
    const beside = twin.orders.length === 0 ? 'another' : named;
    const detail = `${what} exists beside ${beside} for the one request with key ${twin.asked.key}`;
    return { rule: 'no-duplicate-orders', detail, key: twin.asked.key, ...at };
  }
  // Neither placed nor open: whatever was asked alike was refused.
  const [refused] = alike;
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
