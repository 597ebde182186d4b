import type { Claim } from './history.ts';
import type { Product } from './shelf.ts';

/** The shop's own books about one run's buyers, as they stand when all is quiet. Money in cents. */
export type StoredBooks = {
  readonly orders: readonly StoredOrder[];
  /** Null where the database could not be read: the API itself does not show it. */
  readonly ledger: Ledger | null;
};

export type Ledger = {
  /** Of the buyers' orders. */
  readonly movements: readonly Movement[];
  /** Sales since the run began that name no order or no line. */
  readonly strayMovements: readonly Movement[];
  readonly products: readonly StoredProduct[];
  /** Lines of the buyers' orders of which pieces were taken back, by cancellation or refund. */
  readonly returns: readonly LineReturns[];
};

export type LineReturns = { readonly line: number; readonly pieces: number };

export type StoredOrder = {
  readonly id: number;
  readonly client: number;
  readonly totalCents: number;
  readonly deliveryMethod: number;
  readonly status: number;
  readonly version: number;
  /** In order of ids, which is the order in which they were asked for. */
  readonly lines: readonly StoredLine[];
};

export type StoredLine = {
  readonly id: number;
  readonly product: number;
  readonly quantity: number;
  readonly priceCents: number;
  readonly name: string;
};

export type Movement = {
  readonly id: number;
  readonly product: number;
  /** Negative when pieces left the shop. */
  readonly quantity: number;
  readonly reason: string;
  readonly order: number | null;
  readonly line: number | null;
};

export type StoredProduct = {
  readonly id: number;
  readonly stock: number;
  /** Sum of all its movements. */
  readonly moved: number;
  /** Sum of movements other than sales since the run began: counted anew, returned. */
  readonly restocked: number;
  /** How many of these there were. */
  readonly restocks: number;
};

/** What the books must hold, by the name under which a report tells of it. */
export const bookRules = {
  'orders-kept': 'Every order the shop said yes to exists',
  'no-duplicate-orders': 'One Idempotency-Key, one order; one order, one key',
  'orders-asked-for': 'No order exists that nobody asked for, or that was refused',
  'orders-as-asked': 'Orders are stored as asked: buyer, products, quantities, delivery',
  'orders-as-answered': 'Orders are stored as answered: total and price of every line',
  'stock-moved': 'Every line moved the stock once, by its quantity',
  'returned-once': 'What was taken back came into stock once at most, all of it where the order is canceled',
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
