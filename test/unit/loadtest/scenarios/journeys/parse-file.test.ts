import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { ConfigError } from '#lib/errors.ts';
import { journeysPlan } from '#loadtest/plans/journeys.ts';
import { parseFile } from '#loadtest/scenarios/journeys/parse-file.ts';
import { readJourneys } from '#loadtest/scenarios/journeys/read-journeys.ts';

async function read(text: string, files: Readonly<Record<string, string>> = {}, env = {}) {
  const dir = await mkdtemp(join(tmpdir(), 'atalaya-journeys-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  for (const [name, content] of Object.entries({ ...files, 'j.yaml': text })) await writeFile(join(dir, name), content);
  return readJourneys(join(dir, 'j.yaml'), env);
}

/** Each problem without the folder. */
async function problemsOf(text: string, files: Readonly<Record<string, string>> = {}): Promise<string[]> {
  const err: unknown = await read(text, files).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return err instanceof ConfigError ? err.problems.map((problem) => problem.replace(/^.*\/j\.yaml/, 'j.yaml')) : [];
}

test('three lines are a load test: one path, ten users who pause, the usual limits', async () => {
  const plan = journeysPlan(await read('journeys:\n  home:\n    - GET /\n'));
  expect(plan.budget).toEqual({ p95Ms: 200, p99Ms: 500, errorRate: 0.01 });
  expect(plan.phases).toEqual([
    {
      name: 'journeys',
      script: 'journeys',
      load: { kind: 'closed', users: 10, thinkMs: [1_000, 3_000] },
      warmUpMs: 2_000,
      durationMs: 30_000,
      timeoutMs: 10_000,
    },
  ]);
});

test('a search for the capacity is as long, patient and exact as the file says, and takes no users of its own', async () => {
  const search = 'capacity: { users: 60, think: 1s, precision: 25% }, duration: 3s, warmUp: 500ms, timeout: 2s';
  const plan = journeysPlan(await read(`journeys: { home: [GET /] }\nload: { ${search} }\n`));
  expect(plan.people).toEqual({ users: 60, thinkMs: [1_000, 1_000] });
  expect(plan.budget).toEqual({ p95Ms: 200, p99Ms: 500, errorRate: 0.01, precision: 1.25 });
  expect(plan.phases).toMatchObject([{ name: '50/s', warmUpMs: 500, durationMs: 3_000, timeoutMs: 2_000 }]);
  for (const wrong of ['users: 5', 'think: 1s', 'rates: [{ rate: 5, for: 2s }]'])
    expect((await problemsOf(`journeys: { home: [GET /] }\nload: { ${search}, ${wrong} }\n`)).join()).toContain(
      'leave rates, users and think out',
    );
  expect(await problemsOf('journeys: { home: [GET /] }\nload: { capacity: { precision: 0.1% } }\n')).toEqual([
    'j.yaml:2: load/capacity/precision: must be at least 1%',
  ]);
});

test('names every mistake of a file at once, each with its line and its cure', async () => {
  const text = `base: v1
feeders:
  readers: readers.xls
journeys:
  read:
    wieght: 3
    steps:
      - request: GET books
      - request: GET /books/{{id}}
        expect: { stauts: 200, json: { id: 7 } }
      - request: GET /books/1
        capture: { id: /id }
  other:
    feed: raeders
    steps:
      - GET /x/{{nmae}}
  third:
    - GET /{{idd}}
load: { users: 0, think: 3s-1s }
limits: { p95: 200, errors: 120% }
`.replace('readers: readers.xls', 'readers: { file: readers.xls }');
  expect(await problemsOf(text)).toEqual([
    'j.yaml:1: base: must be the beginning of paths, such as /api/v1',
    'j.yaml:3: feeders/readers/file: readers.xls: must be a .csv or a .json file',
    'j.yaml:6: journeys/read/wieght: there is no "wieght" here; did you mean weight?',
    'j.yaml:8: journeys/read/steps/0/request: must be a method and a path, such as GET /products/{{id}}',
    'j.yaml:10: journeys/read/steps/1/expect/json/id: must be a JSON pointer such as /id or /items/0/name (RFC 6901)',
    'j.yaml:10: journeys/read/steps/1/expect/stauts: there is no "stauts" here; did you mean status?',
    'j.yaml:14: journeys/other/feed: there is no feeder "raeders"; did you mean readers?',
    'j.yaml:18: journeys/third/steps/0/request: {{idd}} is filled by no earlier step and no feeder; there are $user, $pass, $run',
    'j.yaml:19: load/users: Too small: expected number to be >=1',
    'j.yaml:19: load/think: must be one pause such as 500ms, a range such as 1s-3s, or 0',
    'j.yaml:20: limits/p95: must be a duration from 1ms to 1h, such as 500ms or 5s',
    'j.yaml:20: limits/errors: must be a share such as 1% or 99.9%',
  ]);
});

const twoJourneys = (step: string): string => `feeders: { readers: { file: readers.csv } }
journeys:
  first: { feed: readers, steps: [{ request: GET /, capture: { id: /id } }, ${step}] }
  second: [{ request: GET /, capture: { own: /id } }]
`;

test('a slot is filled by an earlier step of the same journey, by a column every row has, or by nothing', async () => {
  const csv = { 'readers.csv': 'name,card\nBloom,1\n' };
  for (const right of ['GET /{{id}}/{{name}}', '{ request: GET /, body: { to: ["{{card}}", "{{$pass}}"] } }'])
    expect(await problemsOf(twoJourneys(`'${right}'`.replace(/^'\{(.*)\}'$/, '{$1}')), csv)).toEqual([]);
  for (const wrong of ['own', 'Name', 'constructor', ''])
    expect(await problemsOf(twoJourneys(`'GET /{{${wrong}}}'`), csv)).toEqual([
      expect.stringContaining(`{{${wrong}}} is filled by no earlier step`),
    ]);
});

test('a variable stands in header fields and bodies, and nowhere where reports would show it', async () => {
  const text = "headers: { x: '${A}' }\njourneys:\n  one:\n    - { request: 'GET /${A}', body: { b: '${B}' } }\n";
  const err: unknown = await read(text, {}, { A: 'hush' }).catch((thrown: unknown) => thrown);
  expect((err as ConfigError).problems.map((problem) => problem.replace(/^.*j\.yaml/, ''))).toEqual([
    ':4: journeys/one/0/request: ${A} would stand in reports; variables belong into headers and bodies',
    ':4: journeys/one/0/body/b: ${B} is not set',
  ]);
  expect(String(err)).not.toContain('hush');
});

test('limits of an endpoint that no step is called by are a mistake', async () => {
  expect(await problemsOf('journeys:\n  one: [GET /books]\nlimits:\n  endpoints:\n    GET /boks: { p95: 1s }\n')).toEqual([
    'j.yaml:5: limits/endpoints/GET /boks: no step is called "GET /boks"; did you mean GET /books?',
  ]);
});

test('an alias bomb and broken YAML are one line each', async () => {
  const bomb = `a: &a [x, x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b]\nd: [*c, *c, *c, *c, *c, *c, *c]\njourneys: { one: [GET /] }\n`;
  expect(await problemsOf(bomb)).toHaveLength(1);
  expect(await problemsOf('journeys:\n  - [\n')).toEqual([expect.stringMatching(/^j\.yaml:\d+: /)]);
});

test('no text makes it throw or read nothing without a word', () => {
  const word = fc.constantFrom(
    'journeys',
    'steps',
    'request',
    'expect',
    'json',
    'load',
    'feeders',
    '/id',
    'GET /',
    '{{x}}',
    '${X}',
    '1%',
    '__proto__',
  );
  const json = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      word,
      fc.integer(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(word, tie('value'), { maxKeys: 4 }),
    ),
  })).value;
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        json.map((value) => JSON.stringify(value) ?? ''),
      ),
      (text) => {
        const { file, problems, lineOf } = parseFile(text, {});
        expect(file !== undefined || problems.length > 0).toBe(true);
        for (const { path } of problems) expect(lineOf(path)).toBeGreaterThanOrEqual(1);
      },
    ),
  );
});
