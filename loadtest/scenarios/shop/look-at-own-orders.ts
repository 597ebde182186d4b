import { faultInHeaders, firstFault, jsonOf, problemCode, type Answer, type Fault } from './faults.ts';
import { orderOf, readOrder, type SeenLine, type SeenOrder } from './look-at-orders.ts';

/** An order as its buyer was told it when it was placed. */
export type Acknowledged = { readonly order: SeenOrder; readonly body: string; readonly etag: string | undefined };

/** A repetition with the same key must give the first answer, byte for byte, and say that it is one. Pure. */
export function faultInReplay(first: Acknowledged, answer: Answer): Fault | undefined {
  const { id: order } = first.order;
  const wrong = (detail: string): Fault => ({ rule: 'replay', detail, order });
  const again = lookupId(answer.body);
  if (again !== undefined && again !== order) return wrong(`order ${again} was made, though the key had made order ${order}`);
  if (answer.body !== first.body) return wrong(`the first answer was ${first.body.slice(0, 200)}, the second ${answer.body.slice(0, 200)}`);
  if (answer.headers['idempotency-replayed'] !== 'true') return wrong('Idempotency-Replayed: true is missing');
  return faultInHeaders(answer, { etag: true, location: `/orders/${order}` });
}

function lookupId(body: string): number | undefined {
  const parsed = jsonOf(body);
  return 'json' in parsed ? orderOf(parsed.json)?.id : undefined;
}

/** A 200 to GET /orders/:id by its buyer must show what was acknowledged. Pure. */
export function faultInOwnOrder(placed: Acknowledged, answer: Answer): Fault | undefined {
  const { seen, fault } = readOrder(answer);
  if (seen === undefined) return fault;
  const { order } = placed;
  if (seen.client !== order.client)
    return { rule: 'privacy', detail: `order ${seen.id} of client ${seen.client} was answered`, order: order.id };
  return faultInHeaders(answer, { etag: true }) ?? faultInCopy(seen, order) ?? faultInEtag(placed, answer);
}

function faultInCopy(seen: SeenOrder, order: SeenOrder): Fault | undefined {
  const fields = (['id', 'date', 'totalCents', 'deliveryMethod', 'status', 'version'] as const).filter(
    (field) => seen[field] !== order[field],
  );
  const differing = seen.lines === undefined || sameLines(seen.lines, order.lines ?? []) ? fields : [...fields, 'lines' as const];
  if (differing.length === 0) return undefined;
  const show = (one: SeenOrder): string => differing.map((field) => `${field} ${JSON.stringify(one[field])}`).join(', ');
  return {
    rule: 'own-writes',
    detail: `order ${order.id} was placed with ${show(order)} and is shown with ${show(seen)}`,
    order: order.id,
    // Who works in the shop may do what the buyer did not, and then the version says so.
    ...(seen.id === order.id && seen.version > order.version && { unless: { change: 'handled', order: order.id } }),
  };
}

const sameLines = (a: readonly SeenLine[], b: readonly SeenLine[]): boolean => JSON.stringify(a) === JSON.stringify(b);

function faultInEtag({ order, etag }: Acknowledged, answer: Answer): Fault | undefined {
  if (answer.headers['etag'] === etag) return undefined;
  return { rule: 'answer-headers', detail: `ETag of the unchanged order is ${answer.headers['etag']}, it was ${etag}`, order: order.id };
}

/** What a buyer knows of the orders made in its name. */
export type OwnOrders = {
  readonly client: number;
  /** How many were acknowledged in all; `latest` are the last of them, in order of ids. */
  readonly count: number;
  readonly latest: readonly Acknowledged[];
  /** Requests of which it never learned whether they made an order. */
  readonly unknown: number;
};

/** A 200 to GET /orders?skip&limit of a customer: own orders only, in order, and all that were acknowledged. Pure. */
export function faultInOwnOrders(
  { skip, limit }: { readonly skip: number; readonly limit: number },
  own: OwnOrders,
  answer: Answer,
): Fault | undefined {
  const parsed = jsonOf(answer.body);
  if ('fault' in parsed) return parsed.fault;
  const seen = Array.isArray(parsed.json) ? parsed.json.map(orderOf) : [undefined];
  if (!isWhole(seen)) return { rule: 'answer-shape', detail: `no list of orders: ${answer.body.slice(0, 160)}` };
  const known = new Map(own.latest.map(({ order }) => [order.id, order]));
  return firstFault(
    () => faultInHeaders(answer),
    () => faultInBuyers(seen, own),
    () => faultInPage(seen, limit),
    () => firstFault(...seen.flatMap((order) => (known.has(order.id) ? [() => faultInCopy(order, known.get(order.id) as SeenOrder)] : []))),
    () => faultInAbsence(seen, { skip, limit }, own),
    () => faultInSurplus(seen, skip, own),
  );
}

const isWhole = (orders: readonly (SeenOrder | undefined)[]): orders is SeenOrder[] => !orders.includes(undefined);

function faultInBuyers(seen: readonly SeenOrder[], { client }: OwnOrders): Fault | undefined {
  const foreign = seen.find((order) => order.client !== client);
  return (
    foreign && {
      rule: 'privacy',
      detail: `order ${foreign.id} of client ${foreign.client} stood in the list of client ${client}`,
      order: foreign.id,
    }
  );
}

function faultInPage(seen: readonly SeenOrder[], limit: number): Fault | undefined {
  const ids = seen.map(({ id }) => id);
  if (ids.length > limit) return { rule: 'list-members', detail: `${ids.length} orders where at most ${limit} were asked for` };
  if (ids.every((id, i) => i === 0 || (ids[i - 1] as number) < id)) return undefined;
  return { rule: 'list-order', detail: `orders in the order ${ids.join(', ')}, not in order of ids` };
}

/** Orders that came of requests without an answer may push those known further down, by one place each. */
function faultInAbsence(seen: readonly SeenOrder[], { skip, limit }: { skip: number; limit: number }, own: OwnOrders): Fault | undefined {
  const ids = new Set(seen.map(({ id }) => id));
  const firstKnown = own.count - own.latest.length;
  const due = own.latest.filter((_, i) => firstKnown + i >= skip && firstKnown + i < skip + limit - own.unknown);
  const absent = due.find(({ order }) => !ids.has(order.id))?.order;
  if (absent === undefined) return undefined;
  const detail = `order ${absent.id} was acknowledged and is missing in its buyer's list of ${ids.size} from ${skip}`;
  return { rule: 'own-writes', detail, order: absent.id };
}

function faultInSurplus(seen: readonly SeenOrder[], skip: number, own: OwnOrders): Fault | undefined {
  if (skip + seen.length <= own.count + own.unknown) return undefined;
  const known = new Set(own.latest.map(({ order }) => order.id));
  const odd = seen.find(({ id }) => !known.has(id));
  const detail = `${skip + seen.length} orders are listed, ${own.count} were acknowledged and ${own.unknown} have no answer yet`;
  return { rule: 'own-writes', detail, ...(odd && { order: odd.id }) };
}

/** Another's order must look as if it were not there. Pure. */
export function faultInForeignOrder(order: number, answer: Answer): Fault | undefined {
  if (answer.status !== 404) return { rule: 'privacy', detail: `order ${order} of another was answered with ${answer.status}`, order };
  const contentType = 'application/problem+json';
  const code = problemCode(answer.body);
  return (
    faultInHeaders(answer, { contentType }) ?? (code === undefined ? { rule: 'answer-shape', detail: 'a 404 without a code' } : undefined)
  );
}
