import { showCountOf } from '#lib/show.ts';
import { faultInHeaders, firstFault, jsonOf, type Answer, type Fault } from './faults.ts';
import { centsOf, showCents, type Shelf } from './shelf.ts';

/** An order as a buyer asks for it. */
export type AskedOrder = {
  readonly key: string;
  readonly client: number;
  readonly deliveryMethod: number;
  readonly lines: readonly AskedLine[];
};
export type AskedLine = { readonly product: number; readonly quantity: number };

/** An order as the shop shows it; lines are absent in lists. */
export type SeenOrder = {
  readonly id: number;
  readonly date: string;
  readonly totalCents: number;
  readonly deliveryMethod: number;
  readonly status: number;
  readonly client: number;
  readonly version: number;
  readonly lines: readonly SeenLine[] | undefined;
};
export type SeenLine = {
  readonly id: number;
  readonly product: number;
  readonly name: string;
  readonly quantity: number;
  readonly priceCents: number;
};

const pending = 1;

/** An order of the shop's JSON; undefined when a member is missing or of another kind. */
export function orderOf(json: unknown): SeenOrder | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  const {
    id_key: id,
    date,
    total,
    delivery_method: deliveryMethod,
    status,
    client_id: client,
    version,
    lines,
  } = json as Record<string, unknown>;
  const totalCents = centsOf(total);
  const isRight = [id, deliveryMethod, status, client, version].every((value) => Number.isSafeInteger(value)) && isInstant(date);
  const seenLines = Array.isArray(lines) ? lines.map(lineOf) : undefined;
  if (!isRight || totalCents === undefined || seenLines?.includes(undefined) || (lines !== undefined && seenLines === undefined))
    return undefined;
  return { id, date, totalCents, deliveryMethod, status, client, version, lines: seenLines } as SeenOrder;
}

const isInstant = (date: unknown): boolean => typeof date === 'string' && /^\d{4}-\d\d-\d\dT/.test(date) && !Number.isNaN(Date.parse(date));

function lineOf(json: unknown): SeenLine | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  const { id_key: id, product_id: product, product_name: name, quantity, price } = json as Record<string, unknown>;
  const priceCents = centsOf(price);
  const isRight = [id, product, quantity].every((value) => Number.isSafeInteger(value)) && typeof name === 'string';
  return isRight && priceCents !== undefined ? ({ id, product, name, quantity, priceCents } as SeenLine) : undefined;
}

export type Looked<T> = { readonly seen: T | undefined; readonly fault: Fault | undefined };

/** A 201 to POST /orders held against what was asked for. Pure. */
export function lookAtPlaced(asked: AskedOrder, shelf: Shelf, answer: Answer): Looked<SeenOrder> {
  const { seen, fault } = readOrder(answer);
  if (seen === undefined) return { seen, fault };
  return {
    seen,
    fault: firstFault(
      () => faultInHeaders(answer, { etag: true, location: `/orders/${seen.id}` }),
      () => faultAgainstAsked(seen, asked),
      () => faultInLines(seen, shelf),
      () => faultInTotal(seen),
    ),
  };
}

export function readOrder({ body }: Answer): Looked<SeenOrder> {
  const parsed = jsonOf(body);
  if ('fault' in parsed) return { seen: undefined, fault: parsed.fault };
  const seen = orderOf(parsed.json);
  if (seen?.lines) return { seen, fault: undefined };
  return { seen: undefined, fault: { rule: 'answer-shape', detail: `no order with lines: ${body.slice(0, 160)}` } };
}

function faultAgainstAsked(seen: SeenOrder, asked: AskedOrder): Fault | undefined {
  const { id: order, lines = [] } = seen;
  const wrong = (detail: string): Fault => ({ rule: 'order-content', detail, order });
  if (seen.client !== asked.client)
    return { rule: 'privacy', detail: `order ${order} of client ${seen.client} was answered to client ${asked.client}`, order };
  if (seen.status !== pending) return wrong(`status is ${seen.status}, not ${pending} (pending)`);
  if (seen.deliveryMethod !== asked.deliveryMethod) return wrong(`delivery_method is ${seen.deliveryMethod}, not ${asked.deliveryMethod}`);
  if (lines.length !== asked.lines.length) return wrong(`${showCountOf(lines.length, 'line')}, asked for ${asked.lines.length}`);
  const index = lines.findIndex(({ product, quantity }, i) => product !== asked.lines[i]?.product || quantity !== asked.lines[i]?.quantity);
  if (index < 0) return undefined;
  const [is, should] = [lines[index] as SeenLine, asked.lines[index] as AskedLine];
  return wrong(`line ${index + 1} has ${is.quantity} of product ${is.product}, asked for ${should.quantity} of product ${should.product}`);
}

function faultInLines({ id: order, lines = [] }: SeenOrder, shelf: Shelf): Fault | undefined {
  const ids = lines.map(({ id }) => id);
  if (new Set(ids).size !== ids.length) return { rule: 'order-content', detail: `two lines have the same id: ${ids.join(', ')}`, order };
  for (const { product, name, priceCents } of lines) {
    const known = shelf.product(product);
    const unless = { change: 'edited', product } as const;
    if (known && priceCents !== known.priceCents) {
      const detail = `a piece of product ${product} was charged at ${showCents(priceCents)}, its price is ${showCents(known.priceCents)}`;
      return { rule: 'price-shown', detail, order, product, unless };
    }
    if (known && name !== known.name) {
      const detail = `product_name of product ${product} is ${JSON.stringify(name)}, not ${JSON.stringify(known.name)}`;
      return { rule: 'order-content', detail, order, product, unless };
    }
  }
  return undefined;
}

function faultInTotal({ id: order, totalCents, lines = [] }: SeenOrder): Fault | undefined {
  const right = lines.reduce((sum, { quantity, priceCents }) => sum + quantity * priceCents, 0);
  if (totalCents === right) return undefined;
  return { rule: 'order-total', detail: `total is ${showCents(totalCents)}, its lines make ${showCents(right)}`, order };
}
