import { DatabaseError } from 'pg';
import { describe, expect, test } from 'vitest';
import { ApiError, problemTypes, type ProblemCode } from '#api/errors.ts';
import { problemDocument, toProblem } from '#api/http/problem.ts';

const databaseError = (code: string): DatabaseError => Object.assign(new DatabaseError('secret SQL', 1, 'error'), { code });
const socketError = (code: string): Error => Object.assign(new Error(`connect ${code} 10.0.0.5:5432`), { code });
const told = (thrown: unknown): string => problemDocument(toProblem(thrown).error, 'r-1');

describe('what an error is to the client', () => {
  test('an extension takes the place of no member that the standard gives a meaning', () => {
    const err = new ApiError('illegal_transition', 'x', {
      extensions: { status: 4, type: 'y', code: 'z', errors: 1, request_id: 2, more: 3 },
    });
    expect(JSON.parse(problemDocument(err, 'id-1'))).toEqual({
      type: '/problems/illegal_transition',
      title: 'Not possible in this state',
      status: 409,
      detail: 'x',
      code: 'illegal_transition',
      errors: [],
      more: 3,
      request_id: 'id-1',
    });
  });

  test.each(Object.keys(problemTypes) as ProblemCode[])('%s has a status, and keeps what it was thrown with', (code) => {
    const err = new ApiError(code, 'Said to the client.', { errors: [{ pointer: '/a', message: 'b' }], extensions: { available: 3 } });
    const { error, nature } = toProblem(err);
    expect([error, nature]).toEqual([err, 'refusal']);
    expect(JSON.parse(told(err))).toMatchObject({
      status: problemTypes[code].status,
      title: problemTypes[code].title,
      detail: 'Said to the client.',
      code,
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
      expect(toProblem(thrown)).toMatchObject({ error: { code: 'internal' }, nature: 'defect' });
      expect(told(thrown)).not.toContain('secret');
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
    expect(toProblem(databaseError(state))).toMatchObject({ error: { code, headers: { 'Retry-After': '1' } }, nature: 'outage' });
    expect(told(databaseError(state))).not.toContain('SQL');
  });

  test.each([
    [socketError('ECONNREFUSED'), 'database_unavailable'],
    [new AggregateError([socketError('ECONNREFUSED'), socketError('ECONNREFUSED')]), 'database_unavailable'],
    [new Error('Connection terminated unexpectedly'), 'database_unavailable'],
    [new Error('timeout exceeded when trying to connect'), 'overloaded'],
  ])('%s is an outage', (err, code) => {
    expect(toProblem(err)).toMatchObject({ error: { code }, nature: 'outage' });
    expect(told(err)).not.toContain('10.0.0.5');
  });

  test("a number out of the range of its column is the input's fault", () => {
    expect(toProblem(databaseError('22003'))).toMatchObject({ error: { code: 'validation_failed' }, nature: 'refusal' });
    const wrapped = Object.assign(new Error('wrapped'), { nativeError: databaseError('22021') });
    expect(toProblem(wrapped)).toMatchObject({ error: { code: 'validation_failed' }, nature: 'refusal' });
  });

  test.each([
    ['rate_limited', 'https://iana.org/assignments/http-problem-types#quota-exceeded'],
    ['overloaded', 'https://iana.org/assignments/http-problem-types#temporary-reduced-capacity'],
    ['draining', '/problems/draining'],
  ] as const)('%s is of the type %s, and keeps its code', (code, type) => {
    expect(JSON.parse(told(new ApiError(code, 'Wait.')))).toMatchObject({ type, code });
  });

  test('headers of its code are joined by those of the case', () => {
    const err = new ApiError('overloaded', 'Wait.', { headers: { 'Retry-After': '3', 'X-A': 'b' } });
    expect(err.headers).toEqual({ 'Retry-After': '3', 'X-A': 'b' });
    expect(new ApiError('unauthenticated', 'Who?').headers).toEqual({ 'WWW-Authenticate': 'Bearer' });
  });
});
