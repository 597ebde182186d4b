import type { Errand, ErrandOptions, Judged } from './errand.ts';
import { problemCode, type Answer, type Fault } from './faults.ts';
import type { OrderAttempt } from './history.ts';
import { lookAtPlaced, type AskedOrder } from './look-at-orders.ts';
import { faultInReplay, type Acknowledged } from './look-at-own-orders.ts';

/** What was known of a key before it was sent, now or again. */
type Before = { readonly first: Acknowledged | undefined; readonly wasOpen: boolean };

/** An attempt to place an order: remembered by its buyer and the market, judged, and written down, whatever becomes of it. */
export function orderErrand(asked: AskedOrder, endpoint: string, options: ErrandOptions): Errand {
  const { buyer, market, shelf, headers } = options;
  const before: Before = { first: buyer.placedWith(asked.key), wasOpen: buyer.isUnknown(asked.key) };
  if (before.first === undefined && !before.wasOpen) market.asked(asked.lines);
  const end = attemptEnding(asked, before, options);
  const judge = (answer: Answer): Judged => {
    if (answer.status !== 201) {
      end(meaningOf(answer, before), answer);
      return judgeRefusal(asked, answer, before, options);
    }
    const { seen, fault } = lookAtPlaced(asked, shelf, answer);
    end(seen ? 'acknowledged' : 'unknown', answer, seen && { order: seen, body: answer.body, etag: answer.headers['etag'] });
    const wrong = (before.first && faultInReplay(before.first, answer)) ?? fault;
    return wrong ? { outcome: 'wrong-answer', fault: wrong } : { outcome: 'ok' };
  };
  return {
    endpoint,
    method: 'POST',
    path: '/api/v1/orders',
    headers: { ...headers, 'content-type': 'application/json', 'idempotency-key': asked.key },
    body: bodyOf(asked),
    key: asked.key,
    judge,
    lost: () => end('unknown'),
  };
}

const bodyOf = ({ client, deliveryMethod, lines }: AskedOrder): string =>
  JSON.stringify({
    client_id: client,
    delivery_method: deliveryMethod,
    ...(lines.length > 0 && { lines: lines.map(({ product, quantity }) => ({ product_id: product, quantity })) }),
  });

type End = (outcome: OrderAttempt['outcome'], answer?: Answer, placed?: Acknowledged) => void;

/** Tells everybody who has to know how an attempt ended. */
function attemptEnding(asked: AskedOrder, { first }: Before, { buyer, market, record, now }: ErrandOptions): End {
  const sentAtMs = now();
  return (outcome, answer, placed) => {
    const endedAtMs = now();
    if (placed && first === undefined) {
      buyer.acknowledged(asked.key, placed);
      market.acknowledged({ ...asked, id: placed.order.id }, endedAtMs);
    } else if (outcome === 'refused') buyer.refused(asked.key);
    else buyer.unanswered(asked.key);
    const { id: order = null, totalCents = null } = placed?.order ?? {};
    const requestId = answer?.headers['x-request-id'] ?? null;
    record({ ...asked, sentAtMs, endedAtMs, outcome, status: answer?.status ?? null, requestId, order, totalCents });
  };
}

/** Whether an answer other than 201 says that the key made no order. What came in between may say it only of itself. */
function meaningOf(answer: Answer, { first, wasOpen }: Before): 'refused' | 'unknown' {
  if (first) return 'unknown';
  const isSoldOut = answer.status === 409 && problemCode(answer.body) === 'insufficient_stock';
  if (wasOpen) return isSoldOut ? 'refused' : 'unknown';
  // 503 promises that nothing was done; other server errors promise nothing.
  return answer.status < 500 || answer.status === 503 ? 'refused' : 'unknown';
}

/** A correct shop says no to a correct buyer only when it is sold out, or still at work on the same order. */
function judgeRefusal(asked: AskedOrder, answer: Answer, { first, wasOpen }: Before, options: ErrandOptions): Judged {
  const { status } = answer;
  if (status === 429) return { outcome: 'limited' };
  if (status >= 500) return { outcome: 'http-error' };
  const code = problemCode(answer.body) ?? answer.body.slice(0, 80);
  if (first)
    return wrong({ rule: 'replay', detail: `${status} (${code}), though the key had made order ${first.order.id}`, order: first.order.id });
  if (status === 409 && code === 'idempotency_in_flight' && wasOpen) return { outcome: 'refused' };
  if (status !== 409 || code !== 'insufficient_stock')
    return wrong({ rule: 'answer-status', detail: `${status} (${code}) instead of 201`, unless: { change: 'edited' } });
  const fault = faultInSoldOut(asked, options);
  return fault ? wrong(fault) : { outcome: 'refused' };
}

const wrong = (fault: Fault): Judged => ({ outcome: 'wrong-answer', fault });

/** Of a product that all buyers together have not asked for as often as it was there, there must be enough. */
function faultInSoldOut({ lines }: AskedOrder, { shelf, market, now }: ErrandOptions): Fault | undefined {
  const { asked } = market.salesFor(now());
  const isThere = lines.every(({ product }) => (shelf.product(product)?.stock ?? 0) >= asked(product));
  const product = lines[0]?.product;
  if (!isThere || product === undefined) return undefined;
  const shown = lines.map(
    (line) => `product ${line.product}: ${shelf.product(line.product)?.stock} at the start, ${asked(line.product)} asked for in all`,
  );
  return { rule: 'refusal', detail: `refused for want of stock; ${shown.join('; ')}`, product, unless: { change: 'bought', product } };
}
