import { statement } from '../../db/statement.ts';
import type { Session } from '../../db/transaction.ts';

export type LockedProduct = {
  readonly id_key: number;
  readonly name: string;
  readonly price_cents: number;
  readonly stock: number;
  readonly version: number;
};

/** In id order, whoever locks: two transactions for the same products then wait for each other and never deadlock. */
const lockProductsInIdOrder = statement<LockedProduct>(
  'products-lock',
  `SELECT id_key, name, price_cents, stock, version FROM products
   WHERE id_key = ANY ($1::bigint[]) ORDER BY id_key FOR NO KEY UPDATE`,
);

/** The products as they are now; until the transaction ends nobody else changes them. Those that do not exist are left out. */
export async function lockProducts(session: Session, productIds: readonly number[]): Promise<LockedProduct[]> {
  return session.query(lockProductsInIdOrder, [productIds]);
}
