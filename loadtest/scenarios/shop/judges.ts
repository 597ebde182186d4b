import { judgeZero } from '../../judge/at-rest.ts';
import { broken, met, notChecked, showCount, showShare, type Check, type Judge } from '../../judge/check.ts';
import type { Measurement } from '../../measurement/measurement.ts';
import type { ShopBooks } from './books.ts';
import { sumAccounts, type OrderAccount } from './order-book.ts';

/** What must hold after every run in the shop, however fast or slow it was: nothing lost, nothing double. */
export const shopJudges: readonly Judge[] = [judgeBooks, judgeStockSufficient];

/** What the buyers of all processes know of their orders. */
export function ordersOf({ events }: Measurement): OrderAccount {
  const accounts = events.filter(
    (event): event is { kind: 'orders'; account: OrderAccount } => (event as { kind?: unknown }).kind === 'orders',
  );
  return sumAccounts(accounts.map(({ account }) => account));
}

const unread: ShopBooks = {
  ordersStored: null,
  ledgerMismatches: null,
  negativeStock: null,
  notes: ['the run ended before the books were read'],
};

function judgeBooks(measurement: Measurement): Check[] {
  const books = (measurement.books as ShopBooks | null) ?? unread;
  const orders = ordersOf(measurement);
  const why = books.notes.join('; ') || 'it could not be read';
  return [
    judgeOrdersKept(orders, books, why),
    judgeNoDuplicates(orders),
    judgeZero(books.ledgerMismatches, why, {
      id: 'stock-ledger',
      title: 'Stock of every product = sum of its movements',
      reason: (count) => `${count} products have a stock that their movements do not explain`,
    }),
    judgeZero(books.negativeStock, why, {
      id: 'no-oversell',
      title: 'No stock below zero',
      reason: (count) => `${count} products were sold more often than they were there`,
    }),
  ];
}

function judgeOrdersKept({ acknowledged, unknown, unchecked }: OrderAccount, books: ShopBooks, why: string): Check {
  const head = { id: 'orders-kept', kind: 'invariant', title: 'Every order the shop said yes to exists, and no other' } as const;
  const limit = unknown === 0 ? showCount(acknowledged) : `${showCount(acknowledged)} to ${showCount(acknowledged + unknown)}`;
  if (books.ordersStored === null) return notChecked(head, why, limit);
  if (unchecked > 0) return notChecked(head, 'there were more orders than the client keeps in memory', limit);
  const stored = books.ordersStored;
  const measured = showCount(stored);
  if (stored < acknowledged)
    return broken(head, measured, limit, `${showCount(acknowledged - stored)} orders that were acknowledged do not exist`);
  const surplus = stored - acknowledged - unknown;
  if (surplus > 0)
    return broken(head, measured, limit, `${showCount(surplus)} orders exist that nobody asked for, or that were placed twice`);
  return met(head, measured, limit);
}

function judgeNoDuplicates({ keysWithTwoOrders, ordersWithTwoKeys }: OrderAccount): Check {
  const head = { id: 'no-duplicate-orders', kind: 'invariant', title: 'One Idempotency-Key, one order' } as const;
  const total = keysWithTwoOrders + ordersWithTwoKeys;
  if (total === 0) return met(head, '0', '0');
  const reason = `${showCount(keysWithTwoOrders)} keys were answered with two orders, ${showCount(ordersWithTwoKeys)} orders were the answer to two keys`;
  return broken(head, showCount(total), '0', reason);
}

/** With more refused for want of stock, a run measured an empty shop. */
const maxRefusedShare = 0.2;

function judgeStockSufficient(measurement: Measurement): Check[] {
  const head = { id: 'stock-sufficient', kind: 'innocence', title: 'Orders not refused for want of stock' } as const;
  const { acknowledged, refused } = ordersOf(measurement);
  const total = acknowledged + refused;
  const share = total === 0 ? 0 : refused / total;
  const [measured, limit] = [`${showCount(refused)} of ${showCount(total)} refused`, `≤ ${showShare(maxRefusedShare)}`];
  if (share <= maxRefusedShare) return [met(head, measured, limit)];
  return [broken(head, measured, limit, 'most of the stock was gone, so that hardly an order was really placed')];
}
