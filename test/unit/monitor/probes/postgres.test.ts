import { describe, expect, test } from 'vitest';
import { reportFailure } from '#monitor/probes/postgres.ts';
import { judgeState, slowSince, type PostgresState, type SlowStatement } from '#monitor/probes/postgres-state.ts';
import { MonitorFaultError } from '#monitor/probes/probe.ts';
import { say } from '#monitor/words/say.ts';

const withCode = (code: string) => Object.assign(new Error('says the other side'), { code });

describe('an error of PostgreSQL', () => {
  test.each(['57P03', '3D000', 'ECONNREFUSED', '57P01'])('%s is an outage', (code) => {
    expect(reportFailure('PostgreSQL at db:5432', withCode(code)).outcome).toBe('failed');
  });

  test('that only refuses more connections degrades it', () => {
    expect(reportFailure('PostgreSQL at db:5432', withCode('53300')).outcome).toBe('degraded');
  });

  test('about the monitor’s own password is the monitor’s own fault', () => {
    expect(() => reportFailure('PostgreSQL at db:5432', withCode('28P01'))).toThrow(MonitorFaultError);
  });
});

describe('the state of a server that answers', () => {
  const limits = { connections: 0.85, longestTransaction: 3_600_000, replicationLag: 30_000, standbys: 1, slowStatement: 5_000 };
  const standby = { name: 'second', behindMs: 0 };
  const well: PostgresState = {
    used: 85,
    most: 100,
    isSeen: true,
    longest: null,
    running: null,
    behindMs: null,
    standbys: [standby],
    hasStatements: true,
  };

  test('is ok up to its limits', () => {
    expect(judgeState('PostgreSQL', limits, { ...well, standbys: [{ ...standby, behindMs: 30_000 }] })).toEqual({
      outcome: 'ok',
      detail: 'PostgreSQL answers',
      facts: [['Connections', { code: 'usedOf', used: 85, most: 100 }]],
    });
  });

  test.each<[string, Partial<PostgresState>]>([
    ['86 of 100 connections are in use, 86.0 %', { used: 86 }],
    [
      'a transaction of a client without a name (process 7, active) is 2 h old',
      { longest: { pid: 7, application: '', state: 'active', ageMs: 7_200_000 } },
    ],
    [
      'a statement of report (process 9) has run for 6 s: SELECT ? FROM orders',
      { running: { pid: 9, application: 'report', statement: 'SELECT ? FROM orders', ageMs: 6_000 } },
    ],
    ['it is 31 s behind its primary', { behindMs: 31_000 }],
    ['standby second is 31 s behind', { standbys: [{ ...standby, behindMs: 31_000 }] }],
    ['0 of 1 standbys are connected', { standbys: [] }],
  ])('is degraded: %s', (problem, changes) => {
    const report = judgeState('PostgreSQL', limits, { ...well, ...changes });
    expect(report).toMatchObject({ outcome: 'degraded', detail: `PostgreSQL answers; ${problem}`, nextStep: { code: expect.any(String) } });
  });
});

describe('the cause that a message names', () => {
  const limits = { connections: 0.85, longestTransaction: 5_000, replicationLag: 30_000, standbys: 0, slowStatement: 5_000 };
  const state = { used: 1, most: 100, isSeen: true, behindMs: null, standbys: [], hasStatements: true };
  const longest = { pid: 7, application: 'psql', state: 'idle in transaction', ageMs: 6_000 };
  const running = { pid: 9, application: '', statement: 'SELECT pg_sleep(?)', ageMs: 6_000 };
  const said = 'A statement is slow: SELECT pg_sleep(?), of a client without a name (process 9), has run for 6 s.';

  test.each<[string, Partial<PostgresState>, readonly SlowStatement[], string]>([
    [
      'a transaction that does nothing, before the statement of another',
      { longest, running },
      [],
      'A transaction is left open: process 7 of psql holds it.',
    ],
    ['of one at work what it does', { longest: { ...longest, pid: 9, state: 'active' }, running }, [], said],
    [
      'one that does many quick things',
      { longest: { ...longest, state: 'active' } },
      [],
      'A transaction goes on and on: process 7 of psql holds it.',
    ],
    [
      'a statement that is over by its mean',
      {},
      [{ calls: 4, meanMs: 6_000, statement: 'SELECT $1' }],
      'A statement is slow: 4 calls took 6 s each: SELECT $1.',
    ],
    ['that connections run out, before all', { used: 90, longest, running }, [], 'The connections of PostgreSQL are nearly used up.'],
  ])('is %s', (_sentence, changes, slow, cause) => {
    const report = judgeState('PostgreSQL', limits, { ...state, longest: null, running: null, ...changes }, slow);
    expect(say(report.cause ?? '', 'en')).toBe(cause);
  });
});

describe('a statement', () => {
  const now = { text: 'SELECT $1', calls: 10, total: 5_000 };

  test.each([
    ['never seen', undefined, 400, { calls: 10, meanMs: 500, statement: 'SELECT $1' }],
    ['seen before', { calls: 6, totalMs: 1_000 }, 900, { calls: 4, meanMs: 1_000, statement: 'SELECT $1' }],
    ['whose counters were reset', { calls: 11, totalMs: 90_000 }, 400, { calls: 10, meanMs: 500, statement: 'SELECT $1' }],
    ['as quick as the limit', undefined, 500, undefined],
    ['called but twice since', { calls: 8, totalMs: 0 }, 400, undefined],
  ])('%s is told by its mean since the look before', (_sentence, before, limitMs, told) => {
    expect(slowSince(before, now, limitMs)).toEqual(told);
  });
});
