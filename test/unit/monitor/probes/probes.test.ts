import { describe, expect, test } from 'vitest';
import { judgeBackups } from '#monitor/backup/probe.ts';
import { reportFailure } from '#monitor/probes/postgres-probe.ts';
import { MonitorFaultError } from '#monitor/probes/probe.ts';
import { createHostResolver, HostNotFoundError } from '#monitor/probes/resolve-host.ts';
import { runProbe } from '#monitor/health/run-probe.ts';
import { systemClock } from '#monitor/model/look.ts';

const never = new AbortController().signal;

const withCode = (code: string) => Object.assign(new Error('says the other side'), { code });

describe('a look', () => {
  test('that takes too long has failed, and its signal fires', async () => {
    let isAborted = false;
    const result = await runProbe(
      (signal) => new Promise(() => signal.addEventListener('abort', () => (isAborted = true))),
      30,
      systemClock,
    );
    expect(result).toMatchObject({ outcome: 'failed', detail: 'no answer within 0.03 s' });
    expect(isAborted).toBe(true);
  });

  test('that the probe could not make is a fault of the monitor', async () => {
    const result = await runProbe(() => Promise.reject(new MonitorFaultError('no name service')), 1_000, systemClock);
    expect(result).toMatchObject({ outcome: 'faulty', detail: 'no name service' });
  });

  test('that ended late because the machine stood still is no evidence against the target', async () => {
    let clockMs = 0;
    const clock = () => ({ at: 0, clockMs: (clockMs += 40_000) });
    const result = await runProbe(() => Promise.resolve({ outcome: 'failed', detail: 'no answer' }), 3_000, clock);
    expect(result).toMatchObject({ outcome: 'faulty', detail: 'the monitor itself stood still for 40 s' });
  });

  test('shows no secret', async () => {
    const result = await runProbe(() => Promise.resolve({ outcome: 'failed', detail: 'at postgres://u:hunter2@db' }), 1_000, systemClock);
    expect(result.detail).not.toContain('hunter2');
  });
});

describe('a host name', () => {
  test('keeps its last address while name service fails', async () => {
    const answers = [() => Promise.resolve({ address: '10.0.0.7' }), () => Promise.reject(withCode('EAI_AGAIN'))];
    const resolve = createHostResolver(() => (answers.shift() ?? (() => Promise.reject(withCode('EAI_AGAIN'))))());
    expect(await resolve('api', never)).toBe('10.0.0.7');
    expect(await resolve('api', never)).toBe('10.0.0.7');
  });

  test('that was never found while name service fails is a fault of the monitor', async () => {
    const resolve = createHostResolver(() => Promise.reject(withCode('EAI_AGAIN')));
    await expect(resolve('api', never)).rejects.toBeInstanceOf(MonitorFaultError);
  });

  test('that alone gets no answer is evidence against the target', async () => {
    const resolve = createHostResolver((host) =>
      host === 'postgres' ? Promise.resolve({ address: '10.0.0.8' }) : Promise.reject(withCode('EAI_AGAIN')),
    );
    await expect(resolve('api', never)).rejects.toBeInstanceOf(MonitorFaultError);
    await resolve('postgres', never);
    await expect(resolve('api', never)).rejects.toBeInstanceOf(HostNotFoundError);
  });

  test('that does not exist is evidence against the target, as when its container is gone', async () => {
    const resolve = createHostResolver(() => Promise.reject(withCode('ENOTFOUND')));
    await expect(resolve('api', never)).rejects.toBeInstanceOf(HostNotFoundError);
  });

  test('is not waited for beyond a second', async () => {
    const resolve = createHostResolver(() => new Promise(() => {}));
    await expect(resolve('api', never)).rejects.toThrow('name service of this machine does not answer for api');
  });

  test('that is an address already is taken as it is', async () => {
    const resolve = createHostResolver(() => Promise.reject(new Error('not asked')));
    expect(await Promise.all([resolve('127.0.0.1', never), resolve('[::1]', never)])).toEqual(['127.0.0.1', '::1']);
  });
});

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

describe('the backups', () => {
  const hourMs = 3_600_000;
  const now = 100 * hourMs;
  const overview = { backups: [], newestVerifiedAt: now - 20 * hourMs, lastFailure: undefined, watchedSince: 0, isRunning: false };
  const decision = { isDue: false, reason: 'done', nextAt: now } as const;
  const judge = (changes: object) => judgeBackups({ ...overview, decision, ...changes }, 26 * hourMs, now);

  test.each([
    ['are well while a verified one is young enough', {}, 'ok'],
    ['are degraded once an attempt failed', { lastFailure: 'pg_dump is not installed' }, 'degraded'],
    ['are down when the newest verified one is too old', { newestVerifiedAt: now - 27 * hourMs }, 'failed'],
    ['are well while the first is only due', { newestVerifiedAt: undefined, watchedSince: now }, 'ok'],
    ['are degraded when the first takes long', { newestVerifiedAt: undefined, watchedSince: now - 2 * hourMs }, 'degraded'],
    ['are down when there never was one', { newestVerifiedAt: undefined, watchedSince: now - 27 * hourMs }, 'failed'],
  ])('%s', (_sentence, changes, outcome) => {
    expect(judge(changes).outcome).toBe(outcome);
  });

  test('name the last failure', () => {
    expect(judge({ lastFailure: 'pg_dump is not installed' }).detail).toContain('pg_dump is not installed');
  });
});
