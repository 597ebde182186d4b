import { readFileSync } from 'node:fs';
import { DatabaseError } from 'pg';
import { describe, expect, test } from 'vitest';
import * as domainErrors from '#api/errors.ts';
import { RequestRefusedError } from '#api/http/http-errors.ts';
import { problemDocument, problemTypes, toProblem } from '#api/http/problem.ts';

const databaseError = (code: string): DatabaseError => Object.assign(new DatabaseError('secret SQL', 1, 'error'), { code });
const socketError = (code: string): Error => Object.assign(new Error(`connect ${code} 10.0.0.5:5432`), { code });

describe('docs/errors.md', () => {
  const rows = [...readFileSync('docs/errors.md', 'utf8').matchAll(/^\| `([a-z_]+)` *\| (\d{3}) *\|/gm)];

  test('lists every code with its status, and no other', () => {
    const documented = Object.fromEntries(rows.map(([, code, status]) => [code, Number(status)]));
    expect(documented).toEqual(Object.fromEntries(Object.entries(problemTypes).map(([code, [status]]) => [code, status])));
    expect(rows).toHaveLength(Object.keys(problemTypes).length);
  });

  test('lists them in the order of their statuses', () => {
    const statuses = rows.map(([, , status]) => Number(status));
    expect(statuses).toEqual(statuses.toSorted((a, b) => a - b));
  });
});

describe('what an error is to the client', () => {
  type Thrown = new (message: string, details?: object) => domainErrors.DomainError;
  const classes = Object.values(domainErrors).filter(
    (value) => value !== domainErrors.DomainError && typeof value === 'function',
  ) as unknown as Thrown[];

  test.each(classes.map((thrown) => [thrown.name, thrown] as const))('%s has a status', (_, Thrown) => {
    const err = new Thrown('Said to the client.', { errors: [{ pointer: '/a', message: 'b' }], extensions: { available: 3 } });
    const problem = toProblem(err);
    expect(problem.code).toBe(err.code);
    expect(problem.nature).toBe('refusal');
    expect(JSON.parse(problemDocument(problem, 'r-1'))).toMatchObject({
      type: `/problems/${err.code}`,
      status: problemTypes[problem.code][0],
      detail: 'Said to the client.',
      code: err.code,
      errors: [{ pointer: '/a', message: 'b' }],
      available: 3,
      request_id: 'r-1',
    });
  });

  test('an unknown one tells nothing of itself', () => {
    for (const thrown of [
      new Error('secret'),
      'secret',
      undefined,
      null,
      { code: 'secret' },
      databaseError('23505'),
      databaseError('42601'),
    ]) {
      const problem = toProblem(thrown);
      expect(problem).toMatchObject({ code: 'internal', nature: 'defect' });
      expect(problemDocument(problem, 'r')).not.toContain('secret');
    }
  });

  test.each([
    ['08006', 'database_unavailable'],
    ['57P01', 'database_unavailable'],
    ['57P03', 'database_unavailable'],
    ['28P01', 'database_unavailable'],
    ['3D000', 'database_unavailable'],
    ['42P01', 'database_unavailable'],
    ['53300', 'overloaded'],
    ['57014', 'overloaded'],
    ['55P03', 'overloaded'],
    ['40P01', 'overloaded'],
  ])('SQLSTATE %s is %s, with Retry-After', (state, code) => {
    const problem = toProblem(databaseError(state));
    expect(problem).toMatchObject({ code, nature: 'outage', headers: { 'Retry-After': '1' } });
    expect(problemDocument(problem, 'r')).not.toContain('SQL');
  });

  test.each([
    [socketError('ECONNREFUSED'), 'database_unavailable'],
    [new AggregateError([socketError('ECONNREFUSED'), socketError('ECONNREFUSED')]), 'database_unavailable'],
    [new Error('Connection terminated unexpectedly'), 'database_unavailable'],
    [new Error('timeout exceeded when trying to connect'), 'overloaded'],
  ])('%s is an outage', (err, code) => {
    const problem = toProblem(err);
    expect(problem).toMatchObject({ code, nature: 'outage' });
    expect(problemDocument(problem, 'r')).not.toContain('10.0.0.5');
  });

  test("a number out of the range of its column is the input's fault", () => {
    expect(toProblem(databaseError('22003'))).toMatchObject({ code: 'validation_failed', nature: 'refusal' });
    const wrapped = Object.assign(new Error('wrapped'), { nativeError: databaseError('22021') });
    expect(toProblem(wrapped)).toMatchObject({ code: 'validation_failed', nature: 'refusal' });
  });

  test('a refusal of HTTP keeps its headers', () => {
    const err = new RequestRefusedError('rate_limited', 'Wait.', { headers: { 'Retry-After': '3' }, extensions: { retry_after: 3 } });
    expect(toProblem(err)).toMatchObject({ code: 'rate_limited', headers: { 'Retry-After': '3' }, extensions: { retry_after: 3 } });
  });
});
