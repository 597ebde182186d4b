// Every mutant in one list, each beside what it breaks; so it is long.

import type { Replacement } from '../zoo/copy-source.ts';
import type { Rule } from './rules.ts';
import type { FaultKind } from './schedule.ts';

/** Servers with one thing wrong in them, each of which the torture must catch. */

export type Mutant = {
  readonly name: string;
  /** What is wrong, in one line. */
  readonly says: string;
  /** Rules of which one at least must be broken: by what the mistake does to those who use the shop. */
  readonly expects: readonly Rule[];
  readonly edits: readonly Replacement[];
  /** The faults in which it shows; default: all that a stack is back from at once. */
  readonly faults?: readonly FaultKind[];
  /** How long it is played at least; default: 12. */
  readonly seconds?: number;
};

const files = {
  idempotency: 'api/http/idempotency.ts',
  tx: 'api/db/tx.ts',
  atOnce: 'api/http/at-once.ts',
  change: 'api/shop/orders/change-order.ts',
  lines: 'api/shop/order-details/order-details.ts',
} as const;

/** Orders with a key go the way that other writes go, so that what is wrong there is wrong for them too. */
const nothingAtOnce: Replacement = {
  file: 'api/http/answer.ts',
  find: 'if (!claim || !route.atOnce) return undefined;',
  put: 'if (claim !== null) return undefined;',
};

export const mutants: readonly Mutant[] = [
  {
    name: 'order-not-locked',
    says: 'an order is read and changed without being locked, so that two cancellations meet',
    // The database refuses that more comes back than was sold: the second of two is an internal error.
    expects: ['returned-once', 'done-once', 'right-answers'],
    edits: [
      {
        file: files.change,
        find: 'FOR SHARE)) FOR NO KEY UPDATE`',
        put: 'FOR SHARE))`',
      },
    ],
  },
  {
    name: 'no-key-row',
    says: 'no answer is kept with an Idempotency-Key',
    expects: ['no-duplicate-orders', 'same-answer'],
    edits: [nothingAtOnce, { file: files.idempotency, find: '  if (!claim) return work();', put: '  return work();' }],
  },
  {
    name: 'no-key-row-at-once',
    says: 'an order in one statement keeps its answer under another key',
    expects: ['no-duplicate-orders', 'same-answer'],
    edits: [{ file: files.atOnce, find: 'SELECT $1, $2, $3, 201,', put: 'SELECT $1, $2 || gen_random_uuid(), $3, 201,' }],
  },
  {
    name: 'answered-before-commit',
    says: 'the answer is sent 30 ms before COMMIT is',
    expects: ['fresh-reads', 'orders-kept', 'done-once', 'no-lost-update'],
    edits: [
      nothingAtOnce,
      { file: files.tx, find: '  let broken: Error | undefined;', put: '  let broken: Error | undefined;\n  let isLate = false;' },
      {
        file: files.tx,
        find: '    await commit(client, rest);\n',
        put: '    isLate = true;\n    void sleep(30).then(() => commit(client, rest)).catch(() => {}).finally(() => client.release());\n',
      },
      { file: files.tx, find: '    client.release(broken);', put: '    if (!isLate) client.release(broken);' },
    ],
  },
  {
    name: 'stock-returned-twice',
    says: 'the pieces of a canceled order come into stock twice',
    expects: ['returned-once'],
    edits: [
      {
        file: files.change,
        find: "  await moveStock(tx, moves, { reason: 'return', orderId });",
        put: "  await moveStock(tx, moves, { reason: 'return', orderId });\n  await moveStock(tx, moves, { reason: 'return', orderId });",
      },
    ],
  },
  {
    name: 'refresh-token-twice',
    says: 'a refresh token that was changed still works',
    expects: ['session-over'],
    edits: [{ file: 'api/auth/sessions.ts', find: 'if (!isCurrent && !isJustChanged) {', put: 'if (found.id < 0) {' }],
  },
  {
    name: 'if-match-ignored',
    says: 'If-Match is not looked at',
    expects: ['no-lost-update'],
    edits: [
      { file: 'api/shop/versioned.ts', find: 'if (ifMatch === undefined || ifMatch.includes(found.version)) return;', put: 'return;' },
    ],
  },
  {
    name: 'read-too-old',
    says: 'a thing read by id is answered from memory for five seconds, as from a snapshot that was begun too early',
    expects: ['fresh-reads'],
    edits: [
      {
        file: 'api/db/shared-reads.ts',
        find: '      const row = byKey.get(String(key));',
        put: `      const kept = ((globalThis as any).kept ??= new Map());
      const name = statement.name + key;
      const isOld = !kept.has(name) || performance.now() - kept.get(name).atMs > 5_000;
      if (isOld) kept.set(name, { atMs: performance.now(), row: byKey.get(String(key)) });
      const { row } = kept.get(name);`,
      },
    ],
  },
  {
    name: 'answer-of-another',
    says: 'an Idempotency-Key is the same whoever sends it, and whatever it is sent with',
    expects: ['own-data', 'no-duplicate-orders'],
    edits: [
      { file: files.idempotency, find: 'principalKey(principal) ?? `anonymous:${digest(addressKey(address))}`', put: "'everybody'" },
      { file: files.idempotency, find: 'digest(`${route.method} ${canonicalPath(path)}\\n${body}`)', put: "digest('')" },
    ],
  },
  {
    name: 'refunded-twice',
    says: 'a refund does not honour its key: one that is sent again pays again',
    expects: ['done-once'],
    edits: [
      {
        file: 'api/shop/orders/order-routes.ts',
        find: "path: '/orders/:id/refunds',\n    write: 'once',",
        put: "path: '/orders/:id/refunds',\n    write: 'plainly',",
      },
    ],
  },
  {
    name: 'commit-error-swallowed',
    says: 'an error of COMMIT is taken for success',
    expects: ['orders-kept', 'done-once', 'no-lost-update', 'one-account'],
    edits: [
      nothingAtOnce,
      {
        file: files.tx,
        find: "  if (committed.status === 'rejected') throw asCommitFailure(committed.reason);",
        put: "  if (committed.status === 'rejected') return;",
      },
    ],
    faults: ['commit-unsent', 'worker-killed'],
  },
  {
    name: 'keys-in-memory',
    says: 'each worker remembers in its own memory which keys it has answered',
    expects: ['no-duplicate-orders'],
    edits: [
      nothingAtOnce,
      {
        file: files.idempotency,
        find: '  if (!claim) return work();',
        put: `  if (!claim) return work();
  const kept = ((globalThis as any).kept ??= new Map());
  const name = claim.principal + ' ' + claim.key;
  if (kept.has(name)) return { ...kept.get(name), headers: { ...kept.get(name).headers, 'Idempotency-Replayed': 'true' } };
  const made = await work();
  kept.set(name, made);
  return made;`,
      },
    ],
  },
  {
    name: 'locks-in-cart-order',
    says: 'products are locked in the order in which they stand in the cart',
    expects: ['no-deadlock'],
    edits: [
      {
        file: 'api/shop/stock/stock.ts',
        find: 'ORDER BY id_key FOR NO KEY UPDATE',
        put: 'ORDER BY array_position($1::bigint[], id_key) FOR NO KEY UPDATE',
      },
      {
        file: 'api/db/migrations/0016_stock_functions.ts',
        find: 'ORDER BY products.id_key FOR NO KEY UPDATE',
        put: 'ORDER BY array_position(ids, products.id_key) FOR NO KEY UPDATE',
      },
    ],
  },
  {
    name: 'commit-not-flushed',
    says: 'COMMIT is answered before its log is written (synchronous_commit = off)',
    expects: ['orders-kept', 'done-once', 'no-lost-update', 'one-account', 'fresh-reads'],
    edits: [{ file: 'api/db/pool.ts', find: "options: '-c TimeZone=UTC',", put: "options: '-c TimeZone=UTC -c synchronous_commit=off'," }],
    faults: ['back-end-killed'],
  },
  {
    name: 'order-of-the-deleted',
    says: 'an order does not hold its client, who may be deleted before it is committed',
    expects: ['nothing-left'],
    edits: [{ file: 'api/shop/orders/place-order.ts', find: ' AND deleted_at IS NULL FOR SHARE', put: ' AND deleted_at IS NULL' }],
  },
  {
    name: 'line-moves-all',
    says: 'a line that is changed takes all its new pieces out of stock, and not the difference',
    expects: ['lines-moved'],
    edits: [{ file: files.lines, find: 'quantity: line.quantity - quantity, lineId', put: 'quantity: -quantity, lineId' }],
  },
  {
    name: 'line-keeps-stock',
    says: 'a line that is taken out of its order does not give its pieces back',
    expects: ['lines-moved'],
    edits: [
      {
        file: files.lines,
        find: "lineId: line.id_key }];\n  await moveStock(tx, moves, { reason: 'sale', orderId: order.id_key });\n",
        put: 'lineId: line.id_key }];\n  void moves;\n',
      },
    ],
  },
  {
    name: 'bill-not-settled',
    says: 'a bill keeps its total when the lines of its order change',
    expects: ['bills-settled'],
    edits: [
      {
        file: files.change,
        find: '  if (billId !== null) settleBillByOrder(tx, billId, id);\n',
        put: '  void [billId, settleBillByOrder];\n',
      },
    ],
  },
  {
    name: 'review-of-another',
    says: 'whoever has an account may change any review',
    expects: ['own-data'],
    edits: [
      {
        file: 'api/shop/reviews/reviews.ts',
        find: 'only === undefined || found?.client_id === only ? found : undefined',
        put: 'found',
      },
    ],
  },
  {
    name: 'second-review-overwrites',
    says: 'a second review of a product takes the place of the first',
    expects: ['made-once'],
    edits: [
      {
        file: 'api/shop/reviews/reviews.ts',
        find: '   WHERE given.id IS NULL OR writer.id_key IS NOT NULL\n',
        put: `   WHERE given.id IS NULL OR writer.id_key IS NOT NULL
   ON CONFLICT (product_id, client_id) DO UPDATE SET comment = EXCLUDED.comment, rating_tenths = EXCLUDED.rating_tenths, version = reviews.version + 1\n`,
      },
    ],
  },
  {
    name: 'password-ends-nothing',
    says: 'a changed password ends no session',
    expects: ['session-over'],
    edits: [
      {
        file: 'api/shop/clients/clients.ts',
        find: '  if (!changed) throw clientNotFound();\n  await endSessions(tx, id, { but: sessionId });\n',
        put: '  if (!changed) throw clientNotFound();\n  void sessionId;\n',
      },
    ],
  },
  {
    name: 'sessions-remembered',
    says: 'a worker takes the access tokens of a session for a minute after another worker has ended it',
    expects: ['session-over'],
    edits: [{ file: 'api/auth/tokens.ts', find: 'const rememberedMs = 5_000;', put: 'const rememberedMs = 60_000;' }],
    // A worker that is killed forgets, too.
    faults: ['commit-unheard', 'answer-lost'],
    seconds: 30,
  },
];
