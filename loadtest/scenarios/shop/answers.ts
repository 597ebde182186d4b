/** One request of a journey, complete before it is sent. */
export type Step = {
  /** Its name in every table and chart, such as `GET /products/:id`. */
  readonly endpoint: string;
  readonly method: 'GET' | 'POST';
  /** Path and query. */
  readonly path: string;
  /** JSON text. */
  readonly body?: string;
  readonly idempotencyKey?: string;
  readonly expects: Expectation;
};

/** What the right answer looks like. Anything else is an error, whatever its status says. */
export type Expectation =
  /** 200 with a JSON array. */
  | { readonly kind: 'list' }
  /** 200 with the resource of this id. */
  | { readonly kind: 'one'; readonly id: number }
  /** 201 with an order of that many lines; 409 because stock ran out is an honest refusal, not an error. */
  | { readonly kind: 'order'; readonly lines: number };

/** How a request ended. */
export type Outcome = 'ok' | 'refused' | 'limited' | 'http-error' | 'wrong-answer' | 'timeout' | 'connection-error';

export type Answer = { readonly status: number; readonly body: string };

/** Refusals that a correct shop gives to a correct buyer. */
const honestRefusals = new Set(['insufficient_stock', 'idempotency_in_flight']);

/** Whether an answer is the right one. Pure; never throws, whatever a server sends. */
export function judgeAnswer(expects: Expectation, answer: Answer): Outcome {
  const { status, body } = answer;
  if (status === 429) return 'limited';
  const wanted = expects.kind === 'order' ? 201 : 200;
  if (status === wanted) return isRight(expects, body) ? 'ok' : 'wrong-answer';
  if (expects.kind === 'order' && status === 409 && honestRefusals.has(problemCode(body) ?? '')) return 'refused';
  return status >= 200 && status < 300 ? 'wrong-answer' : 'http-error';
}

function isRight(expects: Expectation, body: string): boolean {
  // Lists are long; parsing them all would make the client the bottleneck it must not be.
  if (expects.kind === 'list') return body.startsWith('[') && body.trimEnd().endsWith(']');
  const found = parseObject(body);
  if (expects.kind === 'one') return found?.['id_key'] === expects.id;
  return typeof found?.['id_key'] === 'number' && Array.isArray(found['lines']) && found['lines'].length === expects.lines;
}

/** The `code` of a problem document (RFC 9457), if the body is one. */
export function problemCode(body: string): string | undefined {
  const code = parseObject(body)?.['code'];
  return typeof code === 'string' ? code : undefined;
}

/** The id of a created or read resource, if the body has one. */
export function idOf(body: string): number | undefined {
  const id = parseObject(body)?.['id_key'];
  return typeof id === 'number' ? id : undefined;
}

function parseObject(body: string): Record<string, unknown> | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null ? (parsed as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
