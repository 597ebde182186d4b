import * as z from 'zod';

/**
 * The small language of conditions: `[STATUS] == 200`, `[RESPONSE_TIME] < 500` (ms), `[CERTIFICATE_DAYS] > 14`,
 * `[HEADER].content-type == application/json`, `[BODY].checks.database.health != critical`, `[BODY].items[0].id > 3`. Right of the operator stands a number, true, false, null, or text, quoted or not.
 */
export type Condition = {
  readonly text: string;
  readonly subject: 'STATUS' | 'RESPONSE_TIME' | 'CERTIFICATE_DAYS' | 'HEADER' | 'BODY';
  readonly path: readonly (string | number)[];
  readonly operator: Operator;
  readonly expected: string | number | boolean | null;
};

type Operator = '==' | '!=' | '<' | '<=' | '>' | '>=';

/** What conditions speak about. */
export type Observed = {
  readonly status: number;
  readonly responseTimeMs: number;
  /** The parsed JSON, or the text where it is not JSON. */
  readonly body: unknown;
  /** By name in small letters; what came several times is joined by commas. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Until the certificate of the server ends; undefined without TLS. */
  readonly certificateDays?: number | undefined;
};

const grammar =
  /^\[(STATUS|RESPONSE_TIME|CERTIFICATE_DAYS|HEADER|BODY)\]((?:\.[A-Za-z_][\w-]*|\[\d+\])*)\s*(==|!=|<=|>=|<|>)\s*(\S.*?)\s*$/;

/** @throws {SyntaxError} saying what is wrong */
export function parseCondition(text: string): Condition {
  const match = grammar.exec(text.trim());
  if (!match) throw new SyntaxError(`"${text}" is no condition; write for example [STATUS] == 200 or [BODY].status != critical`);
  const [, subject, path, operator, expected] = match as unknown as [string, Condition['subject'], string, Operator, string];
  const isWhole = subject !== 'BODY' && subject !== 'HEADER';
  if (isWhole && path !== '') throw new SyntaxError(`"${text}": only [BODY] and [HEADER] have parts`);
  if (subject === 'HEADER' && !/^\.[\w-]+$/.test(path)) throw new SyntaxError(`"${text}": [HEADER] needs one name, such as [HEADER].etag`);
  const value = parseLiteral(expected);
  if (operator.startsWith('<') || operator.startsWith('>') || isWhole) {
    if (typeof value !== 'number') throw new SyntaxError(`"${text}": ${expected} is not a number`);
  }
  return { text: text.trim(), subject, path: parsePath(path), operator, expected: value };
}

/** A condition in the configuration. */
export const conditionText = z.string().transform((text, context) => {
  try {
    return parseCondition(text);
  } catch (err) {
    context.issues.push({ code: 'custom', message: (err as Error).message, input: text });
    return z.NEVER;
  }
});

/** Undefined when the condition holds, else one line that says what was seen. A value that is missing satisfies nothing. Pure. */
export function violationOf(condition: Condition, observed: Observed): string | undefined {
  const actual = valueOf(condition, observed);
  if (actual === undefined) return `${condition.text}: there is no such value`;
  return compare(actual, condition.operator, condition.expected) ? undefined : `${condition.text}: it is ${shown(actual)}`;
}

function valueOf(condition: Condition, observed: Observed): unknown {
  if (condition.subject === 'STATUS') return observed.status;
  if (condition.subject === 'RESPONSE_TIME') return observed.responseTimeMs;
  if (condition.subject === 'CERTIFICATE_DAYS') return observed.certificateDays;
  if (condition.subject === 'HEADER') return headerOf(condition, observed);
  let value = observed.body;
  for (const key of condition.path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string | number, unknown>)[key];
  }
  return value;
}

/** A header is text, and a number where it is compared with one. */
function headerOf({ path: [name], expected }: Condition, { headers = {} }: Observed): string | number | undefined {
  const key = String(name).toLowerCase();
  const value = Object.hasOwn(headers, key) ? headers[key] : undefined;
  return typeof expected === 'number' && value !== undefined && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value;
}

function compare(actual: unknown, operator: Operator, expected: Condition['expected']): boolean {
  if (operator === '==') return actual === expected;
  if (operator === '!=') return actual !== expected;
  if (typeof actual !== 'number' || typeof expected !== 'number') return false;
  if (operator === '<') return actual < expected;
  if (operator === '<=') return actual <= expected;
  return operator === '>' ? actual > expected : actual >= expected;
}

function parsePath(path: string): (string | number)[] {
  const steps = path.match(/\.[^.[\]]+|\[\d+\]/g) ?? [];
  return steps.map((step) => (step.startsWith('.') ? step.slice(1) : Number(step.slice(1, -1))));
}

function parseLiteral(text: string): Condition['expected'] {
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text);
  if (text === 'true' || text === 'false') return text === 'true';
  if (text === 'null') return null;
  return /^(["']).*\1$/.test(text) ? text.slice(1, -1) : text;
}

function shown(value: unknown): string {
  const text = typeof value === 'number' ? String(Math.round(value * 10) / 10) : (JSON.stringify(value) ?? 'nothing');
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
