import type { Answer } from '../../generate/step.ts';

export type { Answer };

/** What every answer of the shop must hold, by the name under which a report tells of it. */
export const rules = {
  'answer-status': 'Every request got the status it should',
  'answer-complete': 'Every answer was whole: well-formed, and as long as it said',
  'answer-headers': 'Content-Type, Content-Length, ETag, Location and request id stood as promised',
  'answer-shape': 'Every member promised was there, of its kind',
  'list-order': 'Lists stood in the order asked for',
  'list-filter': 'Lists held only what was asked for',
  'list-members': 'Lists held all they should and nothing twice',
  'product-content': 'Products were shown as they are: name, description, category',
  'price-shown': 'Prices were those of the catalogue',
  'stock-shown': 'Stock shown was never below zero, nor above what earlier orders had left',
  'order-content': 'Orders were answered as placed: buyer, lines, quantities, names, status',
  'order-total': 'Totals were the sum of their lines, to the cent',
  'own-writes': 'What was ordered was there when its buyer looked, and unchanged',
  privacy: "Nobody saw another's data",
  replay: 'A repeated order was answered with the same bytes, marked as repeated',
  refusal: 'Nothing was refused that was in stock',
} as const;

export type Rule = keyof typeof rules;

/** What somebody else may have done meanwhile that would make an answer right after all. Looked into after the run. */
export type Excuse =
  /** A product was changed, or any of the catalogue when no product is named. */
  | { readonly change: 'edited'; readonly product?: number }
  /** Pieces came back or were added. */
  | { readonly change: 'restocked'; readonly product: number }
  /** Others bought in the same shop. */
  | { readonly change: 'bought'; readonly product?: number }
  /** Staff changed an order. */
  | { readonly change: 'handled'; readonly order: number };

/** One way in which an answer was wrong. */
export type Fault = {
  readonly rule: Rule;
  /** What was seen and what should have been, for people: `total is 39.81, its lines make 39.80`. */
  readonly detail: string;
  readonly product?: number;
  readonly order?: number;
  /** Without it nothing can excuse the fault. */
  readonly unless?: Excuse;
};

/** The first fault that any of the looks finds. */
export function firstFault(...looks: readonly (() => Fault | undefined)[]): Fault | undefined {
  for (const look of looks) {
    const fault = look();
    if (fault) return fault;
  }
  return undefined;
}

/** The JSON of a body; a fault when it is none. */
export function jsonOf(body: string): { readonly json: unknown } | { readonly fault: Fault } {
  try {
    return { json: JSON.parse(body) as unknown };
  } catch {
    return {
      fault: { rule: 'answer-complete', detail: `the body is no JSON; it has ${body.length} characters and ends with …${body.slice(-40)}` },
    };
  }
}

type Promised = { readonly etag?: boolean; readonly location?: string; readonly contentType?: string };

const wrongHeader = (detail: string): Fault => ({ rule: 'answer-headers', detail });

/** The header fields every answer with a body has, and those this one must have. */
export function faultInHeaders({ headers, body }: Answer, promised: Promised = {}): Fault | undefined {
  const { contentType = 'application/json', etag = false, location } = promised;
  const type = headers['content-type'] ?? 'missing';
  if (type.split(';')[0]?.trim() !== contentType) return wrongHeader(`Content-Type is ${type}, not ${contentType}`);
  const length = headers['content-length'];
  const bytes = Buffer.byteLength(body);
  if (length !== undefined && Number(length) !== bytes) return wrongHeader(`Content-Length is ${length}, the body has ${bytes} bytes`);
  if (length === undefined && headers['transfer-encoding'] === undefined)
    return wrongHeader('neither Content-Length nor Transfer-Encoding');
  if (!headers['x-request-id']) return wrongHeader('X-Request-ID is missing');
  if (etag && !/^(?:W\/)?"[^"]+"$/.test(headers['etag'] ?? '')) return wrongHeader(`ETag is ${headers['etag'] ?? 'missing'}`);
  if (location !== undefined && !headers['location']?.endsWith(location))
    return wrongHeader(`Location is ${headers['location'] ?? 'missing'}, not ${location}`);
  return undefined;
}

/** The `code` of a problem document (RFC 9457), if the body is one. */
export function problemCode(body: string): string | undefined {
  const parsed = jsonOf(body);
  const code = 'json' in parsed ? (parsed.json as { code?: unknown } | null)?.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
