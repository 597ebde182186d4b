import { createRandom, pick, pickWeighted, randomInt, type Random } from '#loadtest/generate/random.ts';
import type { JsonSchema, Operation } from '../support/contract.ts';
import { bytesOf, hostileWays, strangeLines, type Draft } from './hostile-ways.ts';
import { hostileTexts, likelyIds, nearlyValidValue, validValue } from './values.ts';

/** One request, and what it is meant to be. */
export type Case = {
  /** Undefined where it leads to none that is known: another method, path or framing than HTTP and the document have. */
  readonly operation: Operation | undefined;
  readonly kind: Kind;
  readonly request: Buffer;
  readonly isHead: boolean;
  /** False where the server may think that it ends elsewhere: nothing may follow on the same connection. */
  readonly isFramed: boolean;
};

export type Kind = 'valid' | 'nearlyValid' | 'hostile';
type Lines = readonly string[];

/** Header lines that prove who asks. A customer may be replaced by another at any time. */
export type Callers = {
  readonly operator: string;
  readonly loadtest: string;
  readonly customers: readonly string[];
};

/** The request of that number: the same for the same seed, whatever was asked before. */
export function createCase(operations: readonly Operation[], callers: Callers, { seed, index }: { seed: number; index: number }): Case {
  const random = createRandom(seed, index);
  const operation = pickOperation(operations, random);
  const kind = pickWeighted<Kind>(random, { valid: 4, nearlyValid: 4, hostile: 2 });
  const draft = draftOf(operation, { kind, callers, random });
  if (kind === 'hostile') return hostileCase(operation, draft, random);
  const isHead = draft.method === 'GET' && random() < 0.05;
  return { operation, kind, request: bytesOf(isHead ? { ...draft, method: 'HEAD' } : draft), isHead, isFramed: true };
}

/** Hashing passwords costs most of a second of a core, and a client that is gone leaves little to ask about. */
function pickOperation(operations: readonly Operation[], random: Random): Operation {
  const operation = pick(random, operations);
  const isRare = /password|login/.test(operation.path) || operation.method === 'DELETE';
  return isRare && random() < 0.8 ? pickOperation(operations, random) : operation;
}

type Wish = { readonly kind: Kind; readonly callers: Callers; readonly random: Random };

/** Of a nearly valid request one part is not as it should be; which part is drawn too. */
function draftOf(operation: Operation, { kind, callers, random }: Wish): Draft {
  const { spec, method, path } = operation;
  const schema = spec.requestBody?.content['application/json']?.schema;
  const parts = ['path', 'query', 'headers', ...(schema ? ['body', 'body', 'body'] : [])];
  const wrong = kind === 'nearlyValid' ? pick(random, parts) : undefined;
  const body = schema && Buffer.from(jsonOf(schema, wrong === 'body', random));
  return {
    method,
    target: targetOf(path, wrong === 'path', random) + searchOf(operation, wrong === 'query', random),
    lines: [
      // Each from an address of its own, as far as the limits are concerned.
      `X-Forwarded-For: 10.${randomInt(random, 0, 255)}.${randomInt(random, 0, 255)}.${randomInt(random, 0, 255)}`,
      ...callerLine(operation, callers, random),
      ...conditionLines(operation, random),
      ...(wrong === 'headers' ? [pick(random, strangeLines)] : []),
    ],
    body,
  };
}

function jsonOf(schema: JsonSchema, isWrong: boolean, random: Random): string {
  return JSON.stringify(isWrong ? nearlyValidValue(schema, random) : validValue(schema, random));
}

/** All names of a path lead to the same. */
function targetOf(path: string, isWrong: boolean, random: Random): string {
  const wrong = ['0', '-1', '1.5', '999999999', '9007199254740993', '1e3', '%00', '%zz', '%2e%2e', 'ñ', "1'--", '%F0%9F%98%80', '٣'];
  const id = isWrong ? pick(random, wrong) : String(randomInt(random, 1, likelyIds));
  const byId = random() < 0.2 ? path.replace(/^(\/\w+)\/\{id\}$/, '$1/id/{id}') : path;
  const name = byId.replace('order_details', random() < 0.3 ? 'order-details' : 'order_details');
  return (random() < 0.7 ? '/api/v1' : '') + name.replace('{id}', encodeLoosely(id)) + (random() < 0.2 ? '/' : '');
}

const encodeLoosely = (text: string): string =>
  text.replaceAll(/[^!-~]/g, (letter) => encodeURIComponent(letter.isWellFormed() ? letter : '\uFFFD'));

function searchOf({ spec }: Operation, isWrong: boolean, random: Random): string {
  const known = spec.parameters.filter(({ in: place }) => place === 'query');
  const given = known
    .filter(({ name }) => name !== 'cursor' && random() < 0.3)
    .map(({ name, schema }) => [name, validValue(schema, random)] as const);
  const pairs = given.map(([name, value]) => `${name}=${encodeLoosely(String(value)).replaceAll(/[&#+%]/g, encodeURIComponent)}`);
  if (isWrong) pairs.push(wrongPair(known, random));
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`;
}

function wrongPair(known: Operation['spec']['parameters'], random: Random): string {
  const name = known.length > 0 && random() < 0.7 ? pick(random, known).name : pick(random, ['x', '__proto__', 'limit', '%00', '%ff', '']);
  const value = pick(random, [...hostileTexts, '%', '%zz', '%ff', '&&', '=', '#', '1&limit=2', '-1', '1.005', '1e3', 'eyJ9', 'WzEsMl0']);
  return random() < 0.5 ? `${name}=${encodeLoosely(value)}` : `${name}=${encodeLoosely(value)}&${name}`;
}

function callerLine({ spec }: Operation, callers: Callers, random: Random): Lines {
  const takes = (name: string): boolean => spec.security.some((one) => name in one);
  const isPublic = !takes('key') && !takes('token');
  const who = pickWeighted(random, {
    nobody: isPublic ? 6 : 0.5,
    customer: takes('token') ? 5 : 1,
    operator: takes('key') ? 5 : 0.5,
    loadtest: isPublic ? 2 : 0.5,
    liar: 0.3,
  });
  if (who === 'nobody') return [];
  if (who === 'liar')
    return [pick(random, ['Authorization: Bearer x.y.z', 'Authorization: Basic YTpi', 'X-API-Key: atk_x', 'Authorization:'])];
  return [who === 'customer' ? pick(random, callers.customers) : callers[who]];
}

function conditionLines({ spec }: Operation, random: Random): Lines {
  const tags = ['*', '"1-0123abcd"', 'W/"2-0123abcd"', '"nonsense"', '1', '"a", W/"b"', ','];
  const keys = [...Array.from({ length: 20 }, (_, at) => `key-${at}`), '"quoted"', 'with space', 'x'.repeat(256), 'ñ'];
  return spec.parameters.flatMap(({ in: place, name }) => {
    if (place !== 'header' || random() < 0.7) return [];
    return [`${name}: ${pick(random, name === 'Idempotency-Key' ? keys : tags)}`];
  });
}

/** A draft with something in it that no client of this API sends. */
function hostileCase(operation: Operation, draft: Draft, random: Random): Case {
  const way = pick(random, hostileWays);
  const { isStray = false, isFramed = true, isHead = false, ...changed } = way(draft, random);
  const request = 'raw' in changed ? changed.raw : bytesOf({ ...draft, ...changed });
  return { operation: isStray ? undefined : operation, kind: 'hostile', request, isHead, isFramed };
}
