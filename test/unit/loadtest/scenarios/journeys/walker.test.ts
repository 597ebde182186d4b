import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRandom } from '#loadtest/generate/random.ts';
import { holdAnswer } from '#loadtest/scenarios/journeys/hold-answer.ts';
import { createWalker } from '#loadtest/scenarios/journeys/journeys-crowd.ts';
import { scriptOf, scriptOfPaths, type Script } from '#loadtest/scenarios/journeys/journeys.ts';
import { atPointer, fillJson, fillText, slotsIn, type Json } from '#loadtest/scenarios/journeys/slots.ts';
import { spellOut } from '#loadtest/scenarios/journeys/spell-out.ts';

const scriptFrom = (file: unknown, more: Partial<Script> = {}): Script => ({
  ...scriptOf(spellOut(file) as Parameters<typeof scriptOf>[0]),
  ...more,
});
const walker = (script: Script, index = 0) => createWalker({ script, runId: 'lt-1', users: 3 }, index, createRandom(1, 2 * index));
const ok = (body: unknown, headers: Record<string, string> = {}) => ({ status: 200, headers, body: JSON.stringify(body) });

test('what a step captures is in the path, query, header fields and body of the next, encoded where it must be and of its own type in JSON', () => {
  const user = walker(
    scriptFrom({
      base: '/v1',
      headers: { 'X-All': 'yes', 'X-Who': 'nobody' },
      journeys: {
        one: [
          { request: 'GET /books', capture: { id: '/0/id', slug: '/0/slug', place: { header: 'Location', matches: '/(\\d+)$' } } },
          {
            request: 'POST /books/{{slug}}/loans?x=1',
            query: { 'q r': '{{slug}}' },
            headers: { 'x-who': '{{slug}} ☃' },
            body: { book: '{{id}}', text: 'no {{id}}', at: ['{{place}}'] },
          },
        ],
      },
    }),
  );
  user.answered(user.next(), ok([{ id: 7, slug: 'a/b ü' }], { location: '/v1/books/42' }));
  expect(user.next()).toMatchObject({
    endpoint: 'POST /books/:slug/loans',
    method: 'POST',
    path: '/v1/books/a%2Fb%20%C3%BC/loans?x=1&q%20r=a%2Fb%20%C3%BC',
    headers: { 'content-type': 'application/json', 'x-all': 'yes', 'x-who': 'a/b ü ?' },
    body: '{"book":7,"text":"no 7","at":["42"]}',
  });
});

test('a wrong answer, a missing capture and no answer each end the pass, and the next begins anew', () => {
  const user = walker(scriptFrom({ journeys: { one: [{ request: 'GET /1', capture: { id: '/id' } }, 'GET /2/{{id}}'] } }));
  const ends: (() => void)[] = [
    () => expect(user.answered(user.next(), ok({})).fault).toBe('answer-captures id'),
    () => expect(user.answered(user.next(), { ...ok({ id: 1 }), status: 404 }).fault).toBe('answer-status 404'),
    () => expect(user.answered(user.next(), { ...ok({}), body: '<html>' }).fault).toBe('answer-complete body'),
    () => user.unanswered(user.next()),
  ];
  for (const end of ends) {
    end();
    expect(user.answered(user.next(), ok({ id: 1 })).outcome).toBe('ok');
    expect(user.answered(user.next(), ok({})).outcome).toBe('ok');
  }
});

test('users take turns at the rows of a feeder and meet none twice before all were taken; no pass has the text of another', () => {
  const feeds = { list: { order: 'sequential' as const, rows: Array.from({ length: 6 }, (_, i) => ({ row: i })) } };
  const script = scriptFrom(
    { feeders: { list: [{ row: 0 }] }, journeys: { one: { feed: 'list', steps: ['GET /{{row}}/{{$pass}}'] } } },
    { feeds },
  );
  const walkers = [0, 1, 2].map((index) => walker(script, index));
  const paths = [0, 1].flatMap(() => walkers.map((user) => user.next().path));
  expect(paths.map((path) => path.split('/')[1])).toEqual(['0', '1', '2', '3', '4', '5']);
  expect(new Set(paths.map((path) => path.split('/')[2])).size).toBe(6);
});

test('weights are kept, and the same seed makes the same requests', () => {
  const script = scriptFrom({ journeys: { often: { weight: 9, steps: ['GET /often'] }, seldom: ['GET /seldom'] } });
  const walk = (): string[] => {
    const user = walker(script);
    return Array.from({ length: 1_000 }, () => user.next().path);
  };
  expect(walk()).toEqual(walk());
  expect(walk().filter((path) => path === '/seldom').length).toBeGreaterThan(60);
  expect(walk().filter((path) => path === '/seldom').length).toBeLessThan(140);
});

const outcome = (status: number, expectStatus?: number[]) => {
  const step = { expect: { json: {}, headers: {}, ...(expectStatus && { status: expectStatus }) }, capture: {} };
  return holdAnswer({ status, headers: {}, body: '' }, step, new Map()).ruling.outcome;
};

test('429 and 5xx are counted with the errors, another status than expected is wrong, and any that is listed is right', () => {
  expect([200, 204, 301, 404, 429, 500].map((status) => outcome(status))).toEqual([
    'ok',
    'ok',
    'wrong-answer',
    'wrong-answer',
    'limited',
    'http-error',
  ]);
  expect([404, 429, 503, 200].map((status) => outcome(status, [404, 429, 503]))).toEqual(['ok', 'ok', 'ok', 'wrong-answer']);
});

const says = (body: unknown, rule: unknown): string | undefined => {
  const script = scriptFrom({ journeys: { one: [{ request: 'GET /', expect: { json: { '/a': rule } } }] } });
  const user = walker(script);
  return user.answered(user.next(), ok(body)).says;
};

test('each rule of a value holds what it says', () => {
  expect(says({ a: 1 }, 1)).toBeUndefined();
  expect(says({ a: '1' }, 1)).toBe('/a is "1", not 1');
  expect(says({ a: { b: [1] } }, { equals: { b: [1] } })).toBeUndefined();
  expect(says({}, { exists: true })).toBe('/a is missing');
  expect(says({ a: null }, { exists: true })).toBeUndefined();
  expect(says({ a: null }, { exists: false })).toBe('/a is null and should not be there');
  expect(says({ a: 1.5 }, { type: 'integer' })).toBe('/a is 1.5, not of type integer');
  expect(says({ a: [] }, { type: 'object' })).toBe('/a is [], not of type object');
  expect(says({ a: 'x1' }, { matches: '^x\\d$' })).toBeUndefined();
  expect(says({ a: 'y' }, { matches: '^x' })).toBe('/a is "y", which does not match ^x');
});

test('no answer makes a user throw, and what is wrong is never a success', () => {
  const script = scriptFrom({
    journeys: {
      one: [
        { request: 'GET /', expect: { json: { '/a/0': { type: 'string' } }, headers: { etag: { exists: true } } }, capture: { x: '/b' } },
        'GET /{{x}}',
      ],
    },
  });
  fc.assert(
    fc.property(
      fc.array(fc.record({ status: fc.integer({ min: 100, max: 599 }), body: fc.oneof(fc.string(), fc.json()) }), { maxLength: 8 }),
      (answers) => {
        const user = walker(script);
        for (const { status, body } of answers) {
          const leg = user.next();
          const { outcome: found } = user.answered(leg, { status, body, headers: {} });
          expect([leg.path === '/', found]).not.toEqual([true, 'ok']);
        }
      },
    ),
  );
});

test('a pointer finds what was put where it leads, and a value without slots is filled with nothing', () => {
  const key = fc.oneof(fc.string(), fc.constantFrom('~', '/', '~1', 'constructor', '__proto__', '0', ''));
  fc.assert(
    fc.property(fc.array(key, { maxLength: 5 }), fc.jsonValue(), (keys, value) => {
      const json = keys.reduceRight<Json>((inner, name) => Object.fromEntries([[name, inner]]), value as Json);
      const pointer = keys.map((name) => `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
      expect(atPointer(json, pointer)).toEqual(value);
      expect(atPointer(json, `${pointer}/nothing-there`)).toBeUndefined();
      fc.pre(slotsIn(json).length === 0);
      expect(fillJson(json, new Map())).toEqual(json);
    }),
  );
  expect(atPointer([1], '/length')).toBeUndefined();
  expect(
    fillText(
      '{{ a }}-{{b}}',
      new Map<string, Json>([
        ['a', '$&'],
        ['b', null],
      ]),
    ),
  ).toBe('$&-null');
});

test('paths alone are journeys of one step, read as often as each other, told apart by their queries, and right with 2xx', () => {
  const user = walker(scriptOfPaths(['/a?x=1', '/a?x=2']));
  const asked = Array.from({ length: 200 }, () => {
    const leg = user.next();
    expect(user.answered(leg, { status: 204, headers: {}, body: '' }).outcome).toBe('ok');
    return leg.endpoint;
  });
  const first = asked.filter((endpoint) => endpoint === 'GET /a?x=1').length;
  expect(new Set(asked)).toEqual(new Set(['GET /a?x=1', 'GET /a?x=2']));
  expect(first).toBeGreaterThan(60);
  expect(first).toBeLessThan(140);
  expect(user.answered(user.next(), { status: 302, headers: {}, body: '' }).outcome).toBe('wrong-answer');
});
