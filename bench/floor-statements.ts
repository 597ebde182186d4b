import { claimKey, storeAnswer } from '#api/http/idempotency.ts';
import { recordOrder } from '#api/shop/orders/place-order.ts';
import { oneProduct } from '#api/shop/products/products.ts';
import { lockInIdOrder, takeSold } from '#api/shop/stock/stock.ts';

/** The API's own statements for the two requests of the bench: the floor does the same work in the database, and nothing around it. */
export const floorStatements = {
  // Without its column types: the floor lets `pg` parse what it reads.
  product: { name: oneProduct.name, text: oneProduct.text },
  claim: claimKey,
  lock: lockInIdOrder,
  record: recordOrder,
  take: takeSold,
  store: storeAnswer,
} as const;
