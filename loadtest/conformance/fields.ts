import { parseDictionary, parseList } from 'structured-headers';
import type { Answer, Declared } from './exchange.ts';

/** One member of a List of RFC 9651. */
export type Member = { readonly value: unknown; readonly parameters: ReadonlyMap<string, unknown> };

/** The same few values stand in thousands of answers. */
const known = new Map<string, readonly Member[] | undefined>();
const maxKnown = 1_000;

/** The members of a field value; undefined when it is no List. An inner list is a member without a value. Pure. */
export function readList(value: string): readonly Member[] | undefined {
  if (known.has(value)) return known.get(value);
  if (known.size >= maxKnown) known.clear();
  const members = parse(value);
  known.set(value, members);
  return members;
}

function parse(value: string): readonly Member[] | undefined {
  try {
    return parseList(value).map(([item, parameters]) => ({ value: Array.isArray(item) ? undefined : item, parameters }));
  } catch {
    return undefined;
  }
}

export const isWhole = (value: unknown, least: number): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= least;

/** What an answer says is left. */
export type Told = {
  /** The field it stood in. */
  readonly field: string;
  readonly remaining: number;
  /** Seconds until more is available, where it is told. */
  readonly resetSeconds: number | undefined;
};

/**
 * What is left, as the answer tells it: by RateLimit, of the policy that is declared where several are told, else by the
 * fields that were used before it. Undefined when it tells nothing that can be read.
 */
export function told(answer: Answer | undefined, declared: Declared): Told | undefined {
  if (answer === undefined) return undefined;
  const { ratelimit } = answer.fields;
  return (ratelimit === undefined ? undefined : (byMembers(answer, ratelimit, declared) ?? byDictionary(ratelimit))) ?? byOldFields(answer);
}

function byMembers({ fields }: Answer, ratelimit: string, declared: Declared): Told | undefined {
  const limits = readList(ratelimit)?.filter(({ parameters }) => isWhole(parameters.get('r'), 0)) ?? [];
  const policy = readList(fields['ratelimit-policy'] ?? '')?.find((one) => isDeclared(one, declared));
  const named = limits.find(({ value }) => policy !== undefined && value === policy.value);
  const limit = named ?? limits.toSorted((a, b) => left(a) - left(b))[0];
  if (limit === undefined) return undefined;
  const reset = limit.parameters.get('t');
  return { field: 'RateLimit', remaining: left(limit), resetSeconds: isWhole(reset, 0) ? reset : undefined };
}

const left = ({ parameters }: Member): number => parameters.get('r') as number;

/** Whether a policy is the one that is declared. */
export const isDeclared = ({ parameters }: Member, { limit, periodMs }: Declared): boolean =>
  parameters.get('q') === limit && parameters.get('w') === periodMs / 1_000 && (parameters.get('qu') ?? 'requests') === 'requests';

/** Up to draft 07 one field held `limit=5, remaining=4, reset=3`. */
function byDictionary(ratelimit: string): Told | undefined {
  try {
    const members = parseDictionary(ratelimit);
    const [remaining, reset] = ['remaining', 'reset'].map((name) => members.get(name)?.[0] as unknown);
    if (!isWhole(remaining, 0)) return undefined;
    return { field: 'RateLimit (draft 07)', remaining, resetSeconds: isWhole(reset, 0) ? reset : undefined };
  } catch {
    return undefined;
  }
}

/** Names of fields from before RateLimit, without their last word. */
export const oldFields = ['ratelimit', 'x-ratelimit', 'x-rate-limit'] as const;

function byOldFields({ fields }: Answer): Told | undefined {
  for (const prefix of oldFields) {
    const remaining = fields[`${prefix}-remaining`];
    if (remaining === undefined || !/^\d+$/.test(remaining)) continue;
    return { field: `${prefix}-remaining`, remaining: Number(remaining), resetSeconds: oldReset(fields, prefix) };
  }
  return undefined;
}

/**
 * Seconds until the reset that a field such as X-RateLimit-Reset tells: some count seconds, others name a moment in seconds
 * or milliseconds since 1970, which is taken from the answer's own Date. Undefined when it cannot be read.
 */
export function oldReset(fields: Answer['fields'], prefix: (typeof oldFields)[number]): number | undefined {
  const text = fields[`${prefix}-reset`];
  if (text === undefined || !/^\d+(?:\.\d+)?$/.test(text)) return undefined;
  const value = Number(text);
  if (value < 1e9) return value;
  const nowSeconds = Date.parse(fields['date'] ?? '') / 1_000;
  return Number.isNaN(nowSeconds) ? undefined : (value > 1e12 ? value / 1_000 : value) - nowSeconds;
}

/** Seconds that Retry-After asks to wait, by RFC 9110 §10.2.3: a whole number, or a date, held against the answer's own Date. */
export function retryAfterSeconds(answer: Answer | undefined): number | undefined {
  const text = answer?.fields['retry-after'];
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  const isDate = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/.test(text);
  const seconds = (Date.parse(text) - Date.parse(answer?.fields['date'] ?? '')) / 1_000;
  return !isDate || Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
}
