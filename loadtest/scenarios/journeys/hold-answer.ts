import { isDeepStrictEqual } from 'node:util';
import type { Answer, Ruling } from '../../generate/step.ts';
import type { Capture, Expectation, JourneyStep, ValueRule } from './file-schema.ts';
import { atPointer, fillJson, textOf, type Json, type Values } from './slots.ts';

/** What can be wrong with an answer, each a check of its own. */
export const rules = {
  'answer-status': 'Every status is one that was expected',
  'answer-complete': 'Every answer is whole: HTTP, and JSON where something is expected of it',
  'answer-json': 'Bodies hold what was expected',
  'answer-headers': 'Header fields hold what was expected',
  'answer-captures': 'What later steps need was there',
} as const;

export type Rule = keyof typeof rules;

export type Held = {
  readonly ruling: Ruling;
  /** What was captured of a right answer. */
  readonly captured: Values;
};

type Fault = { readonly rule: Rule; /** The same for all wrong in this way. */ readonly place: string; readonly says: string };

/** Holds an answer against what a step expects of it, and takes what later steps need. Pure; never throws. */
export function holdAnswer(answer: Answer, { expect, capture }: Pick<JourneyStep, 'expect' | 'capture'>, values: Values): Held {
  const nothing = new Map<string, Json>();
  const { status } = answer;
  if (!isExpected(status, expect)) {
    if (status === 429) return { ruling: { outcome: 'limited' }, captured: nothing };
    if (status >= 500) return { ruling: { outcome: 'http-error', fault: `status ${status}` }, captured: nothing };
    const wanted = expect.status?.join(' or ') ?? '2xx';
    return { ruling: wrong({ rule: 'answer-status', place: `${status}`, says: `${status} instead of ${wanted}` }), captured: nothing };
  }
  const json = bodyOf(answer, { expect, capture });
  if (json === notJson)
    return { ruling: wrong({ rule: 'answer-complete', place: 'body', says: 'the body is no JSON' }), captured: nothing };
  const fault = faultIn(answer, json, expect, values);
  if (fault) return { ruling: wrong(fault), captured: nothing };
  const captured = new Map<string, Json>();
  for (const [name, wanted] of Object.entries(capture)) {
    const found = captureFrom(answer, json, wanted);
    if (found === undefined) return { ruling: wrong(missing(name, wanted)), captured: nothing };
    captured.set(name, found);
  }
  return { ruling: { outcome: 'ok' }, captured };
}

const wrong = ({ rule, place, says }: Fault): Ruling => ({ outcome: 'wrong-answer', fault: `${rule} ${place}`, says });

const isExpected = (status: number, { status: wanted }: Expectation): boolean =>
  wanted === undefined ? status >= 200 && status < 300 : wanted.includes(status);

const notJson = Symbol('not JSON');

/** The body parsed, where anything of it matters. */
function bodyOf({ body }: Answer, { expect, capture }: Pick<JourneyStep, 'expect' | 'capture'>): Json | undefined | typeof notJson {
  if (Object.keys(expect.json).length === 0 && Object.values(capture).every(({ json }) => json === undefined)) return undefined;
  try {
    return JSON.parse(body) as Json;
  } catch {
    return notJson;
  }
}

function faultIn({ headers }: Answer, json: Json | undefined, expect: Expectation, values: Values): Fault | undefined {
  for (const [pointer, rule] of Object.entries(expect.json)) {
    const says = faultInValue(atPointer(json, pointer), rule, values);
    if (says !== undefined) return { rule: 'answer-json', place: pointer, says: `${pointer || 'the body'} ${says}` };
  }
  for (const [name, rule] of Object.entries(expect.headers)) {
    const says = faultInValue(headers[name.toLowerCase()], rule, values);
    if (says !== undefined) return { rule: 'answer-headers', place: name, says: `${name} ${says}` };
  }
  return undefined;
}

const shown = (value: Json): string => JSON.stringify(value).slice(0, 80);

/** What is wrong with a value, as what follows its name; undefined: nothing. @param found undefined: nothing stands there */
export function faultInValue(found: Json | undefined, { equals, type, exists, matches }: ValueRule, values: Values): string | undefined {
  if (exists === false) return found === undefined ? undefined : `is ${shown(found)} and should not be there`;
  if (found === undefined) return 'is missing';
  if (type !== undefined && !isOf(type, found)) return `is ${shown(found)}, not of type ${type}`;
  if (equals !== undefined) {
    const wanted = fillJson(equals, values);
    if (!isDeepStrictEqual(found, wanted)) return `is ${shown(found)}, not ${shown(wanted)}`;
  }
  if (matches !== undefined && !new RegExp(matches).test(textOf(found))) return `is ${shown(found)}, which does not match ${matches}`;
  return undefined;
}

function isOf(type: NonNullable<ValueRule['type']>, value: Json): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  return typeof value === type;
}

function captureFrom({ headers }: Answer, json: Json | undefined, { json: pointer, header, matches }: Capture): Json | undefined {
  const found = header === undefined ? atPointer(json, pointer ?? '') : headers[header.toLowerCase()];
  if (found === undefined || matches === undefined) return found;
  const match = new RegExp(matches).exec(textOf(found));
  return match ? (match[1] ?? match[0]) : undefined;
}

function missing(name: string, { json, header, matches }: Capture): Fault {
  const where = header === undefined ? `at ${json || 'the top'} of the body` : `in ${header}`;
  return {
    rule: 'answer-captures',
    place: name,
    says: `nothing to capture as ${name} ${where}${matches === undefined ? '' : ` that matches ${matches}`}`,
  };
}
