// Over 200 lines, most of them the words of docs/journeys.md: one list of all that may stand in a file.

import * as z from 'zod';
import { nearestWord } from '#lib/misspelt.ts';
import { parseDuration, writeDuration } from '#lib/show.ts';

/** An object of these fields and no others: one that is not known is named, with the one that was probably meant. */
const fields = <S extends z.ZodRawShape>(shape: S) =>
  z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? unknownFields(issue.keys, Object.keys(shape)) : undefined),
  });

const unknownFields = (given: readonly string[], known: readonly string[]): string =>
  given
    .map((name) => {
      const nearest = nearestWord(name, known);
      return `there is no "${name}" here; ${nearest === undefined ? `there are ${known.join(', ')}` : `did you mean ${nearest}?`}`;
    })
    .join('; ');

const hour = 3_600_000;

function duration(minMs: number, maxMs: number) {
  const allowed = `must be a duration from ${writeDuration(minMs)} to ${writeDuration(maxMs)}, such as 500ms or 5s`;
  return z
    .string(allowed)
    .transform((text) => parseDuration(text) ?? Number.NaN)
    .pipe(z.number(allowed).min(minMs, allowed).max(maxMs, allowed));
}

const pauseSays = 'must be one pause such as 500ms, a range such as 1s-3s, or 0';
const think = z
  .union([z.string(), z.literal(0)], pauseSays)
  .transform((given): [number, number] => {
    const [least = Number.NaN, most = least, ...more] = String(given)
      .split('-')
      .map((part) => parseDuration(part) ?? Number.NaN);
    return more.length > 0 ? [Number.NaN, Number.NaN] : [least, most];
  })
  .refine(([least, most]) => least <= most && most <= 600_000 && (most === 0 || most >= 10), pauseSays);

const rateSays = 'must be requests a second above 0 and up to 10000, such as 50, or two such as 50-200';
const rate = z
  .union([z.number(), z.string()], rateSays)
  .transform((given): [number, number] => {
    const [from = Number.NaN, to = from, ...more] = String(given)
      .split('-')
      .map((part) => (/^\d+(\.\d+)?$/.test(part.trim()) ? Number(part) : Number.NaN));
    return more.length > 0 ? [Number.NaN, Number.NaN] : [from, to];
  })
  .refine((both) => both.every((one) => one > 0 && one <= 10_000), rateSays);

const shareSays = 'must be a share such as 1% or 99.9%';
const share = z
  .string(shareSays)
  .regex(/^\d{1,3}(\.\d+)?%$/, shareSays)
  .transform((text) => Number.parseFloat(text) / 100)
  .refine((value) => value <= 1, shareSays);

const expression = z.string().refine(isExpression, 'is no regular expression');

function isExpression(source: string): boolean {
  try {
    return Boolean(new RegExp(source));
  } catch {
    return false;
  }
}

const pointer = z.string().regex(/^(\/([^~/]|~[01])*)*$/, 'must be a JSON pointer such as /id or /items/0/name (RFC 6901)');
const fieldName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'must be the name of a header field');
const slotName = z.string().regex(/^[A-Za-z_][\w-]*$/, 'must be letters, digits, dashes and underscores');
const users = z.int().min(1).max(10_000);

export const jsonTypes = ['string', 'number', 'integer', 'boolean', 'array', 'object', 'null'] as const;

const value = fields({
  equals: z.json().optional().describe('The very value; written alone it is meant: `/name: Lamp`.'),
  type: z
    .enum(jsonTypes, `must be one of ${jsonTypes.join(', ')}`)
    .optional()
    .describe('What kind of value stands there.'),
  exists: z.boolean().optional().describe('Whether anything stands there at all; `null` does.'),
  matches: expression.optional().describe('A regular expression for its text.'),
});

const expectation = fields({
  status: z
    .array(z.int().min(100).max(599))
    .min(1)
    .optional()
    .describe(
      'The right status, or a list of them; default: any from 200 to 299. 5xx count as errors, others as wrong; 429 makes the run INVALID.',
    ),
  json: z.record(pointer, value).default({}).describe('What stands in the body, by JSON pointer.'),
  headers: z.record(fieldName, value).default({}).describe('Header fields, likewise.'),
  within: duration(1, hour).optional().describe('Longest any answer may take after warm-up.'),
});

const capture = fields({
  json: pointer.optional().describe('Where it stands in the body; written alone it is meant: `id: /id`.'),
  header: fieldName.optional().describe('The header field it stands in.'),
  matches: expression.optional().describe('A regular expression whose first group is taken, else the whole match.'),
}).refine(({ json, header }) => (json === undefined) !== (header === undefined), 'must name either json or header');

/** Of a step, in characters. */
export const longestName = 80;

const request = /^(GET|HEAD|POST|PUT|PATCH|DELETE) (\/[^\s#]*)$/;

const step = fields({
  request: z
    .string()
    .regex(request, 'must be a method and a path, such as GET /products/{{id}}')
    .transform((text) => {
      const [method, path] = text.split(' ') as ['GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', string];
      return { method, path };
    })
    .describe('Method and path, such as `GET /products/{{id}}`; written alone it is the whole step.'),
  name: z
    .string()
    .min(1)
    .max(longestName)
    .optional()
    .describe('What reports call it; default: the request, `{{id}}` shown as `:id`, without query.'),
  query: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
    .default({})
    .describe('Added to the path, encoded.'),
  headers: z.record(fieldName, z.string()).default({}).describe('Beside those of the file, or instead of them.'),
  body: z.json().optional().describe('Sent as JSON. A text that is one `{{name}}` and no more becomes the value itself, of its own type.'),
  expect: expectation.prefault({}).describe('What must hold of the answer.'),
  capture: z
    .record(slotName, capture)
    .default({})
    .describe('Values for later steps of the same journey; where one is missing, the answer is wrong.'),
});

const journey = fields({
  weight: z.number().positive().max(1e6).default(1).describe('How often it is chosen, beside the others.'),
  feed: z.string().optional().describe('The feeder that gives each pass a row: its columns are `{{column}}`.'),
  steps: z.array(step).min(1).max(100).describe('One after the other, by one user; a wrong answer ends the pass.'),
});

const feeder = fields({
  file: z.string().optional().describe('A .csv with a line of names, or a .json list of objects; beside this file.'),
  rows: z.array(z.record(z.string(), z.json())).min(1).optional().describe('The rows themselves; written alone they are meant.'),
  order: z
    .enum(['sequential', 'random'], 'must be sequential or random')
    .default('sequential')
    .describe('sequential: users take turns and meet no row twice before all were taken; random: by the seed.'),
}).refine(({ file, rows }) => (file === undefined) !== (rows === undefined), 'must have either file or rows');

const limits = fields({
  p95: duration(1, hour).optional().describe('95 % of the answers are faster; default 200ms.'),
  p99: duration(1, hour).optional().describe('99 % of the answers are faster; default 500ms.'),
  errors: share.optional().describe('Fewer requests than that go without the right answer; default 1%. Wrong content is in no budget.'),
});

const stage = fields({
  rate: rate.describe('Requests a second that arrive whatever the answers, such as 50; 50-200: rising.'),
  for: duration(1_000, 24 * hour).describe('For how long.'),
});

const search = fields({
  users: users.default(400).describe('How many people it must suffice for.'),
  think: think.prefault('1s-3s').describe('Their pause.'),
  precision: share
    .prefault('5%')
    .refine((precision) => precision >= 0.01, 'must be at least 1%')
    .describe('The search is over when the lowest rate missed is that little above the highest kept.'),
});

const load = fields({
  users: users
    .optional()
    .describe('How many at once, each with one request under way or thinking; default 10. With rates: who there is to send.'),
  think: think
    .optional()
    .describe('Least and most pause of a user between two requests; default 1s-3s. 0: none; then latency is not judged.'),
  rates: z.array(stage).min(1).max(100).optional().describe('Instead of users who pause: arrivals, stage after stage.'),
  spacing: z
    .enum(['poisson', 'even'], 'must be poisson or even')
    .optional()
    .describe('How they arrive: as people do (poisson, the default) or as a metronome.'),
  capacity: search
    .optional()
    .describe('Instead of a given load: look for the most requests a second within all limits, and whether that is enough.'),
  duration: duration(1_000, 24 * hour)
    .optional()
    .describe('How long is measured, after warm-up; default 30s, or what the stages take; 8s for each try of a search.'),
  warmUp: duration(0, 10 * 60_000)
    .default(2_000)
    .describe('Time before it; default 2s.'),
  timeout: duration(100, 10 * 60_000)
    .prefault('10s')
    .describe('A request without a complete answer after that long has failed.'),
})
  .refine(
    ({ rates, think: pause }) => rates === undefined || pause === undefined,
    'rates and think exclude each other: at a rate nobody pauses',
  )
  .refine(
    ({ rates, duration: lasts }) => rates === undefined || lasts === undefined,
    'rates and duration exclude each other: stages say how long',
  )
  .refine(({ spacing, rates }) => spacing === undefined || rates !== undefined, 'spacing is of arrivals: it needs rates')
  .refine(
    ({ rates, users: given, think: pause, capacity: sought }) => sought === undefined || (rates ?? given ?? pause) === undefined,
    'capacity looks for the rate itself: leave rates, users and think out; whom it must suffice for stands below it',
  );

const slo = fields({
  good: share.describe('So many of all requests, such as 99.5%, get the right answer …'),
  within: duration(1, hour).describe('… within that time.'),
});

/** A file of journeys, its short forms written out (`spell-out`). Its fields' descriptions are the reference in docs/journeys.md. */
export const journeysSchema = fields({
  base: z
    .string()
    .regex(/^(\/[^\s?#]+)?$/, 'must be the beginning of paths, such as /api/v1')
    .default('')
    .describe('Stands before every path.'),
  headers: z
    .record(fieldName, z.string())
    .default({})
    .describe('Of every request. `${NAME}` is the variable of that name; a secret belongs there.'),
  feeders: z.record(slotName, feeder).default({}).describe('Rows of data for journeys.'),
  journeys: z
    .record(z.string().min(1).max(60), journey)
    .refine((all) => Object.keys(all).length > 0, 'must hold at least one journey')
    .describe('What users do, by name: a list of steps, or an object.'),
  load: load.prefault({}).describe('How much is asked of the target.'),
  limits: fields({
    ...limits.shape,
    endpoints: z
      .record(z.string(), limits)
      .default({})
      .describe('Of single steps, by the name reports give them; those of all still hold over all.'),
  })
    .prefault({})
    .describe('Of all answers, of each endpoint by itself, of each stage and of every five seconds.'),
  slo: slo.optional().describe('An objective over all requests after warm-up.'),
});

/** Its parts, by the headings of the reference. */
export const parts = {
  file: journeysSchema,
  journey,
  step,
  expect: expectation,
  value,
  capture,
  feeder,
  load,
  stage,
  capacity: search,
  limits,
  slo,
};

export type Journeys = z.infer<typeof journeysSchema>;
export type Journey = z.infer<typeof journey>;
export type JourneyStep = z.infer<typeof step>;
export type Expectation = z.infer<typeof expectation>;
export type ValueRule = z.infer<typeof value>;
export type Capture = z.infer<typeof capture>;
export type Feeder = z.infer<typeof feeder>;
