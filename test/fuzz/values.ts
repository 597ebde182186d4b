import * as fc from 'fast-check';
import { pick, randomInt, type Random } from '#loadtest/generate/random.ts';
import type { JsonSchema } from '../support/contract.ts';

/** Ids of what the fuzzed shop begins with, and makes on the way: few, so that they are met again. */
export const likelyIds = 16;

const chance = (random: Random, share: number): boolean => random() < share;
const listed = (value: unknown): readonly JsonSchema[] => value as readonly JsonSchema[];

/** A value that a schema of the document allows. */
export function validValue(schema: JsonSchema, random: Random): unknown {
  const { anyOf, enum: options, type } = schema as { anyOf?: unknown; enum?: readonly unknown[]; type?: string };
  if (anyOf) return validValue(pick(random, listed(anyOf)), random);
  if (options) return pick(random, options);
  if (type === 'object') return validObject(schema, random);
  if (type === 'array') return validArray(schema, random);
  if (type === 'string') return validText(schema, random);
  if (type === 'integer' || type === 'number') return validNumber(schema, random);
  if (type === 'boolean') return chance(random, 0.5);
  if (type === 'null') return null;
  return pick(random, [null, 0, 'any', true, []]);
}

function validObject({ properties = {}, required = [] }: JsonSchema, random: Random): unknown {
  const needed = new Set(required as readonly string[]);
  const members = Object.entries(properties as Record<string, JsonSchema>).filter(([name]) => needed.has(name) || chance(random, 0.5));
  return Object.fromEntries(members.map(([name, schema]) => [name, validValue(schema, random)]));
}

function validArray({ items = {}, minItems = 0, maxItems = 3 }: JsonSchema, random: Random): unknown {
  const count = randomInt(random, Number(minItems), Math.min(Number(maxItems), Number(minItems) + 3));
  return Array.from({ length: count }, () => validValue(items as JsonSchema, random));
}

function validNumber({ type, minimum = 0, maximum = 1e9, multipleOf = 0.01 }: JsonSchema, random: Random): number {
  const [least, most] = [Number(minimum), Number(maximum)];
  if (chance(random, 0.1)) return pick(random, [least, most]);
  const amount = least + random() * Math.min(most - least, likelyIds - least);
  const steps = Math.round(1 / Number(multipleOf));
  return type === 'integer' ? Math.floor(amount) : Math.round(amount * steps) / steps;
}

const words = ['lamp', 'Calle Mayor', 'ñandú', '日本', 'Ada', '12 B', '100 %', 'under_score', "O'Hara", '😀', 'back\\slash'];

function validText({ pattern, format, minLength = 0, maxLength = 40 }: JsonSchema, random: Random): string {
  if (typeof pattern === 'string') return sample(pattern, random);
  if (format === 'email') return `fuzz.${randomInt(random, 1, likelyIds)}@example.com`;
  const [least, most] = [Number(minLength), Number(maxLength)];
  if (chance(random, 0.05)) return 'x'.repeat(most);
  let text = `${pick(random, words)} ${randomInt(random, 0, 999)}`;
  while (Array.from(text).length < least) text += ` ${pick(random, words)}`;
  return Array.from(text).slice(0, most).join('').trim().padEnd(least, 'x');
}

const matching = new Map<string, fc.Arbitrary<string>>();
function sample(pattern: string, random: Random): string {
  let arbitrary = matching.get(pattern);
  if (!arbitrary) matching.set(pattern, (arbitrary = fc.stringMatching(new RegExp(pattern))));
  return fc.sample(arbitrary, { numRuns: 1, seed: randomInt(random, 0, 2 ** 31 - 1) })[0] as string;
}

/** Texts that have broken servers: of SQL, HTML, logs, paths, numbers and Unicode. */
export const hostileTexts: readonly string[] = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\uD800',
  'a\u202Eb',
  '\u0007',
  '\uFEFF',
  'line\r\nX-Injected: 1',
  "' OR 1=1 --",
  "'; DROP TABLE clients; --",
  '%',
  '_%_',
  '\\',
  '<script>alert(1)</script>',
  '${7*7}{{7*7}}',
  '../../etc/passwd',
  '٣',
  '1e309',
  '-0',
  '0x10',
  '9007199254740993',
  'null',
  'NaN',
  '2026-02-30',
  'x'.repeat(5_000),
  '😀'.repeat(100),
];

const otherKinds: readonly unknown[] = [null, true, '1', 'abc', 1.5, -1, 0, 1e20, 9_007_199_254_740_992, [], {}, '', [null], { a: 1 }];
const strangeNames = ['__proto__', 'constructor', 'id_key', 'is_admin', 'password_digest', 'version', 'a/b~c', '', 'x'.repeat(300)];

/** A value that the schema just does not allow, or only just allows: one thing in it is another than it should be. */
export function nearlyValidValue(schema: JsonSchema, random: Random, valid = validValue(schema, random)): unknown {
  const { type, properties, items, minimum, maximum, minLength, maxLength } = schema as Record<string, any>;
  if (type === 'object' && typeof valid === 'object' && valid !== null) return nearlyValidObject(properties ?? {}, valid, random);
  if (type === 'array' && Array.isArray(valid)) return nearlyValidArray(items, valid, random);
  const edges: unknown[] = [];
  if (minimum !== undefined) edges.push(minimum, minimum - 1, minimum + 0.001, String(minimum));
  if (maximum !== undefined) edges.push(maximum, maximum + 1);
  if (maxLength !== undefined) edges.push('x'.repeat(maxLength), 'x'.repeat(maxLength + 1), 'ñ'.repeat(maxLength));
  if (minLength) edges.push('x'.repeat(minLength - 1));
  if (type === 'string') edges.push(...hostileTexts);
  return pick(random, edges.length > 0 && chance(random, 0.6) ? edges : otherKinds);
}

function nearlyValidObject(properties: Record<string, JsonSchema>, valid: object, random: Random): unknown {
  const names = Object.keys(properties);
  const name = names.length > 0 ? pick(random, names) : 'x';
  const { [name]: given, ...others } = valid as Record<string, unknown>;
  const way = random();
  if (way < 0.15) return others;
  if (way < 0.3) return JSON.parse(`{${JSON.stringify(pick(random, strangeNames))}:1,${JSON.stringify(valid).slice(1)}`.replace(',}', '}'));
  if (way < 0.35) return pick(random, otherKinds);
  const schema = properties[name] ?? {};
  return { ...others, [name]: nearlyValidValue(schema, random, given ?? validValue(schema, random)) };
}

function nearlyValidArray(items: JsonSchema, valid: readonly unknown[], random: Random): unknown {
  const way = random();
  if (way < 0.2) return [];
  if (way < 0.4) return Array.from({ length: 101 }, () => validValue(items, random));
  if (way < 0.5 || valid.length === 0) return pick(random, otherKinds);
  return valid.with(randomInt(random, 0, valid.length - 1), nearlyValidValue(items, random));
}
