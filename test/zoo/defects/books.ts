import type { Defect } from '../defect.ts';
import { type Product, oneProduct, placed, isReplay, onMatching, trigger } from '../shop.ts';
import { onAnswer, onJson, onRequest, setHeader } from '../tampering.ts';

/** Books that are wrong: money, stock, orders. A list, so it is as long as it is. */

const money: readonly Defect[] = [
  {
    name: 'total-a-cent-more',
    kind: 'money',
    says: 'every total is a cent more than its lines, answered and stored',
    expects: /order-total/,
    seed: {
      file: 'api/shop/orders/place-order.ts',
      find: 'SELECT (SELECT total_cents FROM total), $6',
      put: 'SELECT (SELECT total_cents FROM total) + 1, $6',
    },
  },
  {
    name: 'total-stored-otherwise',
    kind: 'money',
    says: 'one in 20 orders is stored with a cent more than was answered',
    expects: /orders-as-answered/,
    seed: {
      sql: trigger(
        'AFTER INSERT ON orders',
        'IF NEW.id_key % 20 = 0 THEN UPDATE orders SET total_cents = total_cents + 1 WHERE id_key = NEW.id_key; END IF;',
      ),
    },
  },
  {
    name: 'charged-at-another-price',
    kind: 'money',
    says: 'one in 20 lines is stored at a price rounded to tens of cents',
    expects: /orders-as-answered/,
    seed: {
      sql: trigger(
        'AFTER INSERT ON order_details',
        `IF NEW.id_key % 20 = 0 THEN
           UPDATE order_details SET price_cents = 10 * ceil((price_cents + 1) / 10.0) WHERE id_key = NEW.id_key;
         END IF;`,
      ),
    },
  },
  {
    name: 'total-as-a-fraction',
    kind: 'money',
    says: 'one in ten totals is a binary fraction, such as 39.800000000000004',
    expects: /answer-shape|order-total/,
    seed: {
      tamper: () => onMatching(placed, 10, (answer) => (answer.body = answer.body.replace(/("total":\d+\.\d\d)/, '$10000000000004'))),
    },
  },
];

const stock: readonly Defect[] = [
  {
    name: 'quantity-plus-one',
    kind: 'stock',
    says: 'one in 20 lines is stored with a piece more than was ordered',
    expects: /orders-as-asked/,
    seed: { sql: trigger('BEFORE INSERT ON order_details', 'IF NEW.id_key % 20 = 0 THEN NEW.quantity := NEW.quantity + 1; END IF;') },
  },
  {
    name: 'stock-not-moved',
    kind: 'stock',
    says: 'orders write the ledger and leave the stock as it was',
    expects: /stock-ledger/,
    seed: { sql: trigger('BEFORE UPDATE ON products', 'IF NEW.stock < OLD.stock THEN NEW.stock := OLD.stock; END IF;') },
  },
  {
    name: 'stock-moved-twice',
    kind: 'stock',
    says: 'one in ten sales takes its pieces twice',
    expects: /stock-ledger/,
    seed: {
      sql: trigger(
        'BEFORE UPDATE ON products',
        'IF NEW.stock < OLD.stock AND random() < 0.1 THEN NEW.stock := 2 * NEW.stock - OLD.stock; END IF;',
      ),
    },
  },
  {
    name: 'ledger-not-written',
    kind: 'stock',
    says: 'one in 20 sales takes its pieces and writes no movement',
    expects: /stock-moved/,
    seed: {
      sql: trigger('BEFORE INSERT ON stock_movements', "IF NEW.reason = 'sale' AND NEW.id % 20 = 0 THEN RETURN NULL; END IF;"),
    },
  },
  {
    name: 'neither-stock-nor-ledger',
    kind: 'stock',
    says: 'orders move neither stock nor ledger',
    expects: /stock-moved/,
    seed: {
      sql: `${trigger('BEFORE UPDATE ON products', 'IF NEW.stock < OLD.stock THEN NEW.stock := OLD.stock; END IF;')}
        ${trigger('BEFORE INSERT ON stock_movements', "IF NEW.reason = 'sale' THEN RETURN NULL; END IF;")}`,
    },
  },
  {
    name: 'movement-without-line',
    kind: 'stock',
    says: 'one in 20 movements names neither its order nor its line',
    expects: /stock-moved/,
    seed: {
      sql: trigger(
        'BEFORE INSERT ON stock_movements',
        "IF NEW.reason = 'sale' AND NEW.id % 20 = 0 THEN NEW.order_id := NULL; NEW.order_detail_id := NULL; END IF;",
      ),
    },
  },
  {
    name: 'sold-out-in-stock',
    kind: 'stock',
    says: 'one in 20 orders is refused for want of stock that is there',
    expects: /refusal/,
    seed: { tamper: () => refuse(20) },
  },
  {
    name: 'stock-below-zero',
    kind: 'stock',
    says: 'one in 30 products read by id is shown with a stock below zero',
    expects: /stock-shown/,
    seed: { tamper: () => onJson(oneProduct, 30, (product: Product) => ({ ...product, stock: -1 })) },
  },
];

/** Orders that were placed are answered as refused. */
function refuse(every: number): void {
  onMatching(placed, every, (answer) => {
    if (answer.status !== 201 || isReplay(answer)) return;
    answer.status = 409;
    answer.body = JSON.stringify({ type: '/problems/insufficient_stock', title: 'Conflict', status: 409, code: 'insufficient_stock' });
    setHeader(answer, 'Content-Type', 'application/problem+json');
  });
}

const orders: readonly Defect[] = [
  {
    name: 'acknowledged-and-lost',
    kind: 'orders',
    says: 'one in 30 orders is rolled back and answered as if it had been kept',
    expects: /orders-kept/,
    seed: {
      file: 'api/db/tx.ts',
      find: 'return await atOnce(new ClientTx(client, []));',
      put: `if (Math.random() > 1 / 30) return await atOnce(new ClientTx(client, []));
    await client.query('BEGIN');
    const lost = await atOnce(new ClientTx(client, []));
    await client.query('ROLLBACK');
    return lost;`,
    },
  },
  {
    name: 'key-forgotten',
    kind: 'orders',
    says: 'Idempotency-Key is not looked at: a repeated order is a second order',
    expects: /no-duplicate-orders/,
    seed: { tamper: () => onRequest((request) => delete request.headers['idempotency-key']) },
  },
  {
    name: 'order-made-twice',
    kind: 'orders',
    says: 'one in 20 orders is stored twice, without the second being told to anybody',
    expects: /no-duplicate-orders|orders-asked-for/,
    seed: {
      sql: trigger(
        'AFTER INSERT ON orders',
        `IF NEW.id_key % 20 = 0 AND pg_trigger_depth() = 1 THEN
           INSERT INTO orders (total_cents, delivery_method, client_id) VALUES (NEW.total_cents, NEW.delivery_method, NEW.client_id);
         END IF;`,
      ),
    },
  },
  {
    name: 'replay-of-other-bytes',
    kind: 'orders',
    says: 'a repeated order is answered with another date',
    expects: /replay/,
    seed: {
      tamper: () =>
        onAnswer((answer) => {
          if (isReplay(answer)) answer.body = answer.body.replace(/"date":"[^"]*"/, `"date":"${new Date(0).toISOString()}"`);
        }),
    },
  },
  {
    name: 'replay-unmarked',
    kind: 'orders',
    says: 'a repeated order is answered without Idempotency-Replayed',
    expects: /replay/,
    seed: { tamper: () => onAnswer((answer) => setHeader(answer, 'Idempotency-Replayed', undefined)) },
  },
  {
    name: 'stored-as-in-progress',
    kind: 'orders',
    says: 'one in 20 orders is stored with another status than pending',
    expects: /own-writes|order-content|orders-as-asked/,
    seed: {
      sql: trigger('AFTER INSERT ON orders', 'IF NEW.id_key % 20 = 0 THEN UPDATE orders SET status = 2 WHERE id_key = NEW.id_key; END IF;'),
    },
  },
];

export const books: readonly Defect[] = [...money, ...stock, ...orders];
