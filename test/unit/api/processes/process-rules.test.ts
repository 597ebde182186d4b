import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readApiConfig, workerCount } from '#api/config.ts';
import { databaseHealth, poolHealth, worstOf } from '#api/health/health-report.ts';
import { InFlight } from '#api/http/shed-load.ts';
import { planConnections, type ConnectionNeeds, type ConnectionPlan } from '#api/processes/connection-budget.ts';
import { restartDecision } from '#api/processes/restart-plan.ts';
import { ConfigError } from '#lib/errors.ts';

const secret = 'x'.repeat(32);

const originsOf = (CORS_ORIGINS: string) => readApiConfig({ AUTH_TOKEN_SECRET: secret, CORS_ORIGINS }).CORS_ORIGINS;

describe('settings', () => {
  test('all problems are told at once, and no secret', () => {
    const env = {
      API_WORKERS: '0',
      AUTH_TOKEN_SECRET: 'too-short-secret',
      BOOTSTRAP_OPERATOR_KEY: 'short-key',
      CORS_ORIGINS: 'https://ok.example,*',
      TRUSTED_PROXIES: '10.0.0.0/99',
      DRAIN_TIMEOUT: 'soon',
    };
    let problems: readonly string[] = [];
    try {
      readApiConfig(env);
    } catch (err) {
      problems = (err as ConfigError).problems;
    }
    expect(new Set(problems.map((line) => line.split('=')[0]))).toEqual(new Set(Object.keys(env)));
    expect(problems.join('\n')).not.toMatch(/too-short-secret|short-key/);
  });

  test('an origin is a scheme and a host, never everything', () => {
    expect(originsOf('https://a.example, http://localhost:3000')).toEqual(['https://a.example', 'http://localhost:3000']);
    expect(() => originsOf('https://a.example/path')).toThrow(ConfigError);
  });

  test('old names are read, with a warning', () => {
    const warnings: string[] = [];
    const config = readApiConfig({ AUTH_TOKEN_SECRET: secret, UVICORN_WORKERS: '3' }, (warning) => warnings.push(warning));
    expect(config.API_WORKERS).toBe(3);
    expect(warnings).toHaveLength(1);
  });

  test('a variable of older guides that has no effect is no mistake, and one line says so', () => {
    const warnings: string[] = [];
    readApiConfig({ AUTH_TOKEN_SECRET: secret, REDIS_CACHE_TTL: '300' }, (warning) => warnings.push(warning));
    readApiConfig({ AUTH_TOKEN_SECRET: secret, REDIS_CACHE_TTL: '' }, (warning) => warnings.push(warning));
    expect(warnings).toEqual([expect.stringMatching(/^REDIS_CACHE_TTL is set, and has no effect/)]);
  });

  test('without API_WORKERS there is one for each core, at most four', () => {
    expect([1, 2, 4, 64].map((cores) => workerCount({ API_WORKERS: undefined }, cores))).toEqual([1, 2, 4, 4]);
    expect(workerCount({ API_WORKERS: 9 }, 2)).toBe(9);
  });
});

/** Undefined: refused. */
function planOrNone(needs: ConnectionNeeds): ConnectionPlan | undefined {
  try {
    return planConnections(needs);
  } catch {
    return undefined;
  }
}

const number = (min: number, max: number) => fc.integer({ min, max });

describe('connections', () => {
  const needs = { workers: 4, poolSize: 50, maxOverflow: 100, reserve: 10, instances: 1, serverMax: 614 };

  test('that fit are opened as configured, to the last one', () => {
    expect(planConnections(needs)).toEqual({ serverMax: 614, perWorkerMax: 150, totalMax: 600, scaledDown: undefined });
  });

  test('that do not fit are scaled down, with the arithmetic', () => {
    expect(planConnections({ ...needs, serverMax: 613 })).toMatchObject({ perWorkerMax: 149, totalMax: 596 });
    expect(planConnections({ ...needs, serverMax: 200, instances: 2 }).scaledDown).toBe(
      '4 API_WORKERS × (50 DB_POOL_SIZE + 100 DB_MAX_OVERFLOW + 1 for health checks) = 604 connections, but ' +
        "(200 max_connections − 10 MAX_CONNECTIONS_RESERVE) ÷ 2 API_INSTANCES leaves 95: each worker's pool opens 22 at most",
    );
  });

  test('are refused when not even one a worker is left', () => {
    expect(planConnections({ ...needs, serverMax: 18 })).toMatchObject({ perWorkerMax: 1 });
    expect(() => planConnections({ ...needs, serverMax: 17 })).toThrow(/leaves 7, less than 2 a worker; raise max_connections/);
    expect(() => planConnections({ ...needs, serverMax: 5 })).toThrow(ConfigError);
  });

  test('of all instances together never exceed what the server accepts', () => {
    const anyNeeds = fc.record({
      workers: number(1, 64),
      poolSize: number(1, 200),
      maxOverflow: number(0, 200),
      reserve: number(0, 50),
      instances: number(1, 8),
      serverMax: number(1, 2_000),
    });
    fc.assert(
      fc.property(anyNeeds, (given) => {
        const pools = given.instances * given.workers;
        const used = (perWorkerMax: number): number => pools * (perWorkerMax + 1) + given.reserve;
        const plan = planOrNone(given);
        const wanted = given.poolSize + given.maxOverflow;
        const fitting = Array.from({ length: wanted + 1 }, (_, max) => max).filter((max) => used(max) <= given.serverMax);
        expect(plan?.perWorkerMax, 'as many as fit, and none when that is none').toBe(fitting.at(-1) || undefined);
      }),
    );
  });
});

describe('a worker that ends', () => {
  const death = { hasEverServed: true, isDraining: false, livedMs: 5_000, deathsInARow: 0 };

  test('is replaced soon, and later the more often it dies in a row', () => {
    const delays = [0, 1, 2, 3, 20].map((deathsInARow) => restartDecision({ ...death, deathsInARow }));
    expect(delays.map((decision) => decision.action === 'restart' && decision.delayMs)).toEqual([100, 200, 400, 800, 10_000]);
  });

  test('after a stable life starts the count anew', () => {
    expect(restartDecision({ ...death, livedMs: 30_000, deathsInARow: 7 })).toMatchObject({ delayMs: 100, failuresInARow: 1 });
  });

  test('before anything was served ends the start', () => {
    expect(restartDecision({ ...death, hasEverServed: false, livedMs: undefined })).toEqual({
      action: 'give-up',
      reason: 'failed to start',
    });
  });

  test('unable to start later, while others serve, is tried again', () => {
    expect(restartDecision({ ...death, livedMs: undefined, deathsInARow: 2 })).toMatchObject({
      action: 'restart',
      reason: 'failed to start',
    });
  });

  test('while draining is left', () => {
    expect(restartDecision({ ...death, isDraining: true })).toEqual({ action: 'leave', reason: 'draining' });
  });
});

describe('health', () => {
  test.each([
    [undefined, 'critical'],
    [0, 'healthy'],
    [99.9, 'healthy'],
    [100, 'warning'],
    [499.9, 'warning'],
    [500, 'degraded'],
    [1_900, 'degraded'],
  ])('a database latency of %s ms is %s', (latency, health) => {
    expect(databaseHealth(latency)).toBe(health);
  });

  test.each([
    [69.9, 'available', 'healthy'],
    [70, 'available', 'warning'],
    [89.9, 'available', 'warning'],
    [90, 'busy', 'degraded'],
    [100, 'busy', 'degraded'],
  ])('a pool used to %s %% is %s and %s', (percent, status, health) => {
    expect(poolHealth(percent)).toEqual({ status, health });
  });

  test('the worst part decides', () => {
    expect(worstOf(['healthy', 'warning', 'degraded', 'critical'])).toBe('critical');
    expect(worstOf(['warning', 'degraded'])).toBe('degraded');
    expect(worstOf([])).toBe('healthy');
  });
});

test('waiting for idle ends when the last request has left', async () => {
  const inFlight = new InFlight();
  inFlight.enter();
  inFlight.enter();
  let isIdle = false;
  const idle = inFlight.whenIdle().then(() => (isIdle = true));
  inFlight.leave();
  await Promise.resolve();
  expect(isIdle).toBe(false);
  inFlight.leave();
  await idle;
  await inFlight.whenIdle();
});
