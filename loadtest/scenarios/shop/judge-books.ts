import type { Measurement, ServerBooks } from '../../measurement/measurement.ts';
import { broken, met, notChecked, showCount, type Check } from '../../judge/check.ts';

/** What must hold after every run, however fast or slow it was: nothing lost, nothing double, nothing leaked. */
export function judgeInvariants(measurement: Measurement): Check[] {
  const { books } = measurement;
  const why = books.notes.join('; ') || 'it could not be read';
  return [
    judgeOrdersKept(measurement, why),
    judgeNoDuplicates(measurement),
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
    judgeZero(books.connectionsInUse, why, {
      id: 'connections-returned',
      title: 'Pool connections in use back to zero',
      reason: (count) => `${count} connections were still checked out 10 s after the last request: a leak`,
    }),
    judgeZero(books.openTransactions, why, {
      id: 'transactions-closed',
      title: 'No transaction left open',
      reason: (count) => `${count} sessions of the API still were in a transaction 10 s after the last request`,
    }),
  ];
}

function judgeOrdersKept({ orders, books }: Measurement, why: string): Check {
  const head = { id: 'orders-kept', kind: 'invariant', title: 'Every order the shop said yes to exists, and no other' } as const;
  const { acknowledged, unknown } = orders;
  const limit = unknown === 0 ? showCount(acknowledged) : `${showCount(acknowledged)} to ${showCount(acknowledged + unknown)}`;
  if (books.ordersStored === null) return notChecked(head, why, limit);
  if (orders.unchecked > 0) return notChecked(head, 'there were more orders than the client keeps in memory', limit);
  const stored = books.ordersStored;
  const measured = showCount(stored);
  if (stored < acknowledged)
    return broken(head, measured, limit, `${showCount(acknowledged - stored)} orders that were acknowledged do not exist`);
  const surplus = stored - acknowledged - unknown;
  if (surplus > 0)
    return broken(head, measured, limit, `${showCount(surplus)} orders exist that nobody asked for, or that were placed twice`);
  return met(head, measured, limit);
}

function judgeNoDuplicates({ orders }: Measurement): Check {
  const head = { id: 'no-duplicate-orders', kind: 'invariant', title: 'One Idempotency-Key, one order' } as const;
  const { keysWithTwoOrders, ordersWithTwoKeys } = orders;
  const total = keysWithTwoOrders + ordersWithTwoKeys;
  if (total === 0) return met(head, '0', '0');
  const reason = `${showCount(keysWithTwoOrders)} keys were answered with two orders, ${showCount(ordersWithTwoKeys)} orders were the answer to two keys`;
  return broken(head, showCount(total), '0', reason);
}

type ZeroCheck = { readonly id: string; readonly title: string; readonly reason: (count: string) => string };

function judgeZero(found: ServerBooks[keyof ServerBooks] & (number | null), why: string, { id, title, reason }: ZeroCheck): Check {
  const head = { id, kind: 'invariant', title } as const;
  if (found === null) return notChecked(head, why, '0');
  return found === 0 ? met(head, '0', '0') : broken(head, showCount(found), '0', reason(showCount(found)));
}
