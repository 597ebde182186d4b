import { describe, expect, test } from 'vitest';
import { numbersAsked } from '#loadtest/run-head.ts';
import { judgeSettings } from '#loadtest/judge/settings.ts';
import type { ServerSample, TargetFacts } from '#loadtest/measurement/measurement.ts';
import { healthyMeasurement } from '../build-measurement.ts';

const effective = { DB_POOL_SIZE: 5, API_WORKERS: 4, pool: { total_max: 20, scaled_down: null }, server_max_connections: 100 };
const asked = { DB_POOL_SIZE: '5', API_WORKERS: '4' };

const look = (second: number, sessions: number, inUse: number): ServerSample => ({
  second,
  looks: 10,
  pool: { inUse: 1, capacity: 20, waiting: 0, most: { inUse, waiting: 0 } },
  backends: { active: 1, idleInTransaction: 0, waitingForLock: 0, total: sessions },
  workers: [],
});

const checkOf = (id: string, changes: Partial<TargetFacts> = {}, samples: readonly ServerSample[] = [look(0, 20, 20)]) => {
  const target: TargetFacts = { origin: 'http://127.0.0.1:8000', kind: 'own', effective, asked, maxConnections: 100, ...changes };
  return judgeSettings(healthyMeasurement({ target, samples })).find((check) => check.id === id);
};

describe('the settings', () => {
  test('in force are those it was started with: met', () => {
    expect(checkOf('settings-effective')).toMatchObject({ outcome: 'met', measured: '2 of 2' });
  });

  test('in force are others: broken, each named with both values', () => {
    const check = checkOf('settings-effective', { asked: { ...asked, DB_POOL_SIZE: '7', API_WORKERS: '1' } });
    expect(check).toMatchObject({
      kind: 'invariant',
      outcome: 'broken',
      measured: '0 of 2',
      limit: 'all',
      reason: 'DB_POOL_SIZE is 5, asked for was 7; API_WORKERS is 4, asked for was 1',
    });
  });

  test('that were scaled down are told', () => {
    const scaled = { ...effective, pool: { total_max: 20, scaled_down: 'each worker opens 5' } };
    expect(checkOf('settings-effective', { effective: scaled })).toMatchObject({ outcome: 'met', reason: 'each worker opens 5' });
  });

  test('that were kept whole are told of with nothing more', () => {
    expect(checkOf('settings-effective')).toMatchObject({ limit: 'all', reason: '' });
    expect(checkOf('settings-effective', { effective: { DB_POOL_SIZE: 5, API_WORKERS: 4 } })).toMatchObject({ outcome: 'met', reason: '' });
  });

  test('that nobody asked for are not checked', () => {
    const says = { outcome: 'not-checked', reason: 'it was started with no number of its own' };
    expect(checkOf('settings-effective', { asked: {} })).toMatchObject(says);
  });

  test('that nobody can read are not checked', () => {
    const [asks, cap, most] = ['settings-effective', 'pool-cap', 'max-connections'].map((id) => checkOf(id, { effective: null }));
    expect(asks).toMatchObject({ outcome: 'not-checked', reason: 'the settings it was started with, or has, could not be read' });
    expect(cap).toMatchObject({ outcome: 'not-checked', reason: 'the API did not say how many its pools may open' });
    expect(most).toMatchObject({ outcome: 'not-checked', reason: 'the API did not say what it takes the database to be' });
    const target: TargetFacts = { origin: 'http://127.0.0.1:8000', kind: 'own', effective };
    expect(judgeSettings(healthyMeasurement({ target, samples: [look(0, 20, 20)] }))).toMatchObject([
      { outcome: 'not-checked' },
      { outcome: 'met' },
      { outcome: 'not-checked', reason: 'the database could not be asked' },
    ]);
    const { server_max_connections: _, ...untold } = effective;
    expect(checkOf('max-connections', { effective: untold })?.outcome).toBe('not-checked');
    const poolless = { ...effective, pool: undefined };
    expect(checkOf('max-connections', { effective: poolless })?.outcome).toBe('not-checked');
  });
});

describe('the pools', () => {
  test('at their most are within what they may open', () => {
    expect(checkOf('pool-cap')).toMatchObject({ outcome: 'met', measured: '20 at most', limit: '≤ 20' });
  });

  test('one session that ends beside its successor is no breach; the same in two seconds is', () => {
    expect(checkOf('pool-cap', {}, [look(0, 21, 20), look(1, 20, 20)])?.outcome).toBe('met');
    expect(checkOf('pool-cap', {}, [look(0, 21, 20), look(1, 22, 20)])).toMatchObject({
      outcome: 'broken',
      measured: '22 at most',
      reason: '22 sessions of the API were seen where its pools may open 20',
      witnesses: [
        { second: 0, says: '21 sessions' },
        { second: 1, says: '22 sessions' },
      ],
    });
  });

  test('that say themselves they gave out more than they may are a breach at any look', () => {
    const check = checkOf('pool-cap', {}, [look(0, 21, 21)]);
    expect(check).toMatchObject({ outcome: 'broken', witnesses: [{ says: '21 sessions' }, { says: '21 sessions' }] });
  });

  test('that nobody could look at are not checked', () => {
    const blind = { ...look(0, 20, 20), pool: null, backends: null };
    expect(checkOf('pool-cap', {}, [blind])).toMatchObject({
      outcome: 'not-checked',
      limit: '≤ 20',
      reason: 'neither pools nor database could be looked at',
    });
    expect(checkOf('pool-cap', {}, [{ ...look(0, 20, 20), pool: null }])).toMatchObject({ outcome: 'met', measured: '20 at most' });
  });

  test('of several instances share the limit of all', () => {
    expect(checkOf('pool-cap', { effective: { ...effective, API_INSTANCES: 2 } }, [look(0, 40, 20), look(1, 40, 20)])).toMatchObject({
      outcome: 'met',
      limit: '≤ 40',
    });
  });
});

describe('the database', () => {
  test('takes more sessions than the pools may open: met', () => {
    expect(checkOf('max-connections')).toMatchObject({ outcome: 'met', measured: '20 of 100' });
  });

  test('takes another number than the API believes: broken', () => {
    expect(checkOf('max-connections', { maxConnections: 50 })?.reason).toMatch(/takes max_connections to be 100, the database has 50/);
  });

  test('takes no more than the pools may open: broken', () => {
    const tight = { ...effective, server_max_connections: 20 };
    expect(checkOf('max-connections', { effective: tight, maxConnections: 20 })).toMatchObject({
      outcome: 'broken',
      limit: '< 20',
      reason: 'the pools may open 20 sessions where the database takes 20, for everybody together',
    });
  });
});

test('no secret that a target was started with is written down', () => {
  const settings = { DB_POOL_SIZE: '5', AUTH_TOKEN_SECRET: 'a-very-secret-secret', POSTGRES_PASSWORD: '12345', HOME: '/root' };
  const shown = { DB_POOL_SIZE: 5, AUTH_TOKEN_SECRET: '(hidden)', POSTGRES_PASSWORD: '(hidden)' };
  expect(numbersAsked(settings, shown)).toEqual({ DB_POOL_SIZE: '5' });
});
