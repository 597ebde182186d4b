import type { Answer, Ruling, Step } from '../../generate/step.ts';

/** One request of a journey, complete but for the credential of who sends it. */
export type ShopRequest = Omit<Step, 'headers'> & {
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

/** Refusals that a correct shop gives to a correct buyer. */
const honestRefusals = new Set(['insufficient_stock', 'idempotency_in_flight']);

/** Whether an answer is the right one. Pure; never throws, whatever a server sends. */
export function judgeAnswer(expects: Expectation, answer: Answer): Ruling {
  const { status, body } = answer;
  const code = status >= 400 ? problemCode(body) : undefined;
  if (status === 429) return { outcome: 'limited', fault: code ?? 'no problem document' };
  const wanted = expects.kind === 'order' ? 201 : 200;
  if (status === wanted)
    return isRight(expects, body) ? { outcome: 'ok' } : { outcome: 'wrong-answer', fault: `not what was asked for (${expects.kind})` };
  if (expects.kind === 'order' && status === 409 && honestRefusals.has(code ?? '')) return { outcome: 'refused' };
  if (status >= 200 && status < 300) return { outcome: 'wrong-answer', fault: `status ${status} instead of ${wanted}` };
  return { outcome: 'http-error', fault: code ?? 'no problem document' };
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
