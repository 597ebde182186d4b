import { stripTypeScriptTypes } from 'node:module';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Check } from '#loadtest/judge/check.ts';
import type { Judgement } from '#loadtest/judge/verdict.ts';
import { replaceOnce } from '#test/zoo/copy-source.ts';
import { defects } from '#test/zoo/defects.ts';
import { judged, type Result } from '#test/zoo/run-member.ts';
import { foundInPlan, type Found, type SuiteName } from '#test/zoo/suites.ts';
import { publish } from '#test/zoo/table.ts';

const root = resolve(import.meta.dirname, '../../..');

describe('a seed', () => {
  const replacing = defects.flatMap(({ name, seed }) => ('file' in seed ? [{ name, ...seed }] : []));
  test.each(replacing)('$name stands in the source exactly once, and what it puts there can be run', async ({ file, find, put }) => {
    const source = await readFile(join(root, file), 'utf8');
    expect(source.split(find)).toHaveLength(2);
    expect(stripTypeScriptTypes(source.replace(find, () => put))).not.toBe(stripTypeScriptTypes(source));
  });

  let dir = '';
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'atalaya-zoo-test-'));
    await writeFile(join(dir, 'a.ts'), 'one two two three');
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  test.each(['two', 'four'])('that does not stand there once is refused: "%s"', async (find) => {
    await expect(replaceOnce(dir, { file: 'a.ts', find, put: 'x' })).rejects.toThrow(/it must be once: mend the seed/);
  });
  test('is put in where it stands', async () => {
    await replaceOnce(dir, { file: 'a.ts', find: 'three', put: '$& four' });
    expect(await readFile(join(dir, 'a.ts'), 'utf8')).toBe('one two two $& four');
  });
});

const sizeOf = (suite: SuiteName): number => defects.filter(({ foundBy }) => foundBy === suite).length;

test('the zoo has at least forty members, each under a name of its own, of every kind', () => {
  const names = defects.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  expect(new Set(defects.map(({ kind }) => kind)).size).toBe(19);
  expect([sizeOf('users'), sizeOf('pool'), sizeOf('ratelimit')]).toEqual([52, 25, 27]);
});

const check = (changes: Partial<Check> = {}): Check => ({
  id: 'order-total',
  kind: 'invariant',
  title: '',
  outcome: 'broken',
  measured: '1',
  limit: '0',
  reason: 'total is wrong',
  witnesses: [{ says: 'total is wrong', about: { order: 7 } }],
  ...changes,
});
const verdict = (is: Judgement['verdict'], ...checks: readonly Check[]): Judgement => ({
  verdict: is,
  checks,
  reasons: [],
  limitedBy: null,
  figures: {} as Judgement['figures'],
});

const found = (...args: Parameters<typeof verdict>): Found => foundInPlan(verdict(...args));

describe('a member is found', () => {
  test('by FAIL, a check of its name and a witness', () => {
    expect(judged(found('FAIL', check()), /order-total/)).toMatchObject({
      isRight: true,
      namedAs: ['order-total'],
      witness: 'order 7 · total is wrong',
    });
  });
  test.each([
    ['PASS', verdict('PASS', check({ outcome: 'met' }))],
    ['INVALID', verdict('INVALID', check())],
    ['FAIL under another name', verdict('FAIL', check({ id: 'latency-p95', reason: 'slow' }))],
    ['FAIL without a witness', verdict('FAIL', check({ witnesses: [] }))],
  ])('but not by %s', (_, judgement) => {
    expect(judged(foundInPlan(judgement), /order-total/).isRight).toBe(false);
  });
  test('and the shop as it is must only not FAIL', () => {
    expect(judged(found('INVALID', check({ kind: 'innocence' })), undefined).isRight).toBe(true);
    expect(judged(found('FAIL', check()), undefined).isRight).toBe(false);
  });
});

const result = (name: string, changes: Partial<Result> = {}): Result => ({
  name,
  suite: 'users',
  commit: 'abc1234',
  verdict: 'FAIL',
  namedAs: ['privacy'],
  witness: 'order 7',
  isRight: true,
  seconds: 20,
  ...changes,
});

describe('the page of the zoo', () => {
  const [first, ...others] = defects.map(({ name }) => name);
  let dir = '';
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'atalaya-zoo-page-'));
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  test('is written once every member has a result, kept ones included; until then it stays as it is', async () => {
    const places = { kept: join(dir, 'reports/zoo.json'), page: join(dir, 'zoo.md') };
    await writeFile(places.page, 'as it was');
    expect(await publish([result('clean 1', { verdict: 'PASS', witness: '', namedAs: [] })], places)).toEqual([first, ...others]);
    expect(
      await publish(
        others.map((name) => result(name)),
        places,
      ),
    ).toEqual([first]);
    expect(await readFile(places.page, 'utf8')).toBe('as it was');

    expect(await publish([result(first ?? '', { isRight: false })], places)).toEqual([]);
    const text = await readFile(places.page, 'utf8');
    expect(text).toContain(`${others.length} of ${defects.length} found. Played on abc1234.`);
    expect(text).toContain('Runs against the shop as it is: 1, 0 of them beside a busy core; 1 were PASS,');
    expect(text).toContain('## pool: 25 of 25 found');
    expect(text).toMatch(new RegExp(`${first} .*FAIL ✗`));
  });
});
