import { showCountOf } from '#lib/show.ts';
import type { Product } from './shelf.ts';
import type { Anomaly, BooksToCheck, Ledger, Movement, StoredOrder, StoredProduct } from './stored-books.ts';

/**
 * Holds the ledger against the orders: every line moved the stock once, the stock is what the movements make, and nothing
 * else left the shop. Pure.
 */
export function checkLedger({ stored, products, isShared }: BooksToCheck, ledger: Ledger): Anomaly[] {
  const movements = Map.groupBy(ledger.movements, ({ order }) => order);
  const returned = new Map(ledger.returns.map(({ line, pieces }) => [line, pieces]));
  return [
    ...stored.orders.flatMap((order) => checkMovements(order, movements.get(order.id) ?? [])),
    ...stored.orders.flatMap((order) => checkReturns(order, movements.get(order.id) ?? [], returned)),
    ...ledger.products.flatMap(checkStock),
    // What others sell and count in the same shop stands in the same ledger.
    ...(isShared ? [] : ledger.strayMovements.map(strayMovement)),
    ...(isShared ? [] : checkConserved(products, stored.orders, ledger.products)),
  ];
}

const canceled = 4;

/** One sale a line, and nothing of what is no line. */
function checkMovements({ id, lines }: StoredOrder, movements: readonly Movement[]): Anomaly[] {
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
    const what = moved.length === 0 ? 'moved nothing' : `moved ${showCountOf(pieces, 'piece')} in ${showCountOf(moved.length, 'movement')}`;
    return [wrong(`line ${line}, ${quantity} of product ${product}, ${what}`, product)];
  });
  const own = new Set<number | null>(lines.map((line) => line.id));
  const odd = movements.filter(({ line }) => !own.has(line));
  return [
    ...found,
    ...odd.map((movement) =>
      wrong(`movement ${movement.id} (${movement.reason}, ${movement.quantity}) belongs to no line`, movement.product),
    ),
  ];
}

/** Of each line at most what its order says was taken back; without restocking, less. A canceled order keeps nothing. */
function checkReturns(
  { id, lines, status }: StoredOrder,
  movements: readonly Movement[],
  returned: ReadonlyMap<number, number>,
): Anomaly[] {
  return lines.flatMap(({ id: line, product, quantity }): Anomaly[] => {
    const back = movements.filter((movement) => movement.line === line && movement.reason !== 'sale');
    const pieces = back.reduce((sum, movement) => sum + movement.quantity, 0);
    const taken = returned.get(line) ?? 0;
    const at = { rule: 'returned-once', order: id, product } as const;
    const what = `order ${id}: of line ${line}, ${quantity} of product ${product},`;
    if (pieces > taken)
      return [
        { ...at, detail: `${what} ${showCountOf(pieces, 'piece')} came back in ${showCountOf(back.length, 'movement')}, not ${taken}` },
      ];
    if (status === canceled && taken !== quantity) return [{ ...at, detail: `${what} ${taken} came back, though the order is canceled` }];
    return [];
  });
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
  const after = new Map(now.map((product) => [product.id, product]));
  return products.flatMap(({ id, stock }): Anomaly[] => {
    const stored = after.get(id);
    if (stored === undefined) return [{ rule: 'stock-conserved', detail: `product ${id} is gone`, product: id }];
    const sold = soldOf.get(id) ?? 0;
    if (stored.stock === stock - sold + stored.restocked) return [];
    const detail = `product ${id} was shown with ${stock} in stock, ${sold} were sold, and ${stored.stock} are left`;
    return [{ rule: 'stock-conserved', detail, product: id }];
  });
}
