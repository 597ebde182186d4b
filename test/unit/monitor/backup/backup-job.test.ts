import { describe, expect, onTestFinished, test } from 'vitest';
import { BusyError } from '#lib/errors.ts';
import { createLogger } from '#lib/logger.ts';
import { createBackupJob, type BackupSteps, type KnownBackup } from '#monitor/backup/job.ts';
import { openDatabase } from '#monitor/store/database.ts';
import { createStore } from '#monitor/store/open-store.ts';

const logger = createLogger('test', { LOG_LEVEL: 'silent', LOG_FORMAT: 'json' });
const running = new AbortController().signal;
const at = (time: string): number => Date.parse(`2026-11-${time}Z`);

/** A catalogue in memory and a clock; `fails` says which step goes wrong. */
function createWorld(time: string) {
  const store = createStore(openDatabase(':memory:'));
  onTestFinished(() => store.close());
  const backups: KnownBackup[] = [];
  const done: string[] = [];
  const world = {
    now: at(time),
    fails: undefined as 'take' | 'verify' | 'expire' | undefined,
    onTake: (): void => {},
    backups,
    done,
  };
  const steps: BackupSteps = {
    list: () => Promise.resolve(backups.toReversed()),
    take: async () => {
      done.push('take');
      world.onTake();
      if (world.fails === 'take') throw new Error('pg_dump is not installed');
      const id = new Date(world.now).toISOString();
      backups.push({ id, takenAt: id, state: 'written', sizeBytes: 10 });
      return { id, sizeBytes: 10 };
    },
    verify: async (id) => {
      done.push('verify');
      const isGood = world.fails !== 'verify';
      const index = backups.findIndex((backup) => backup.id === id);
      const backup = backups[index];
      if (backup) backups[index] = { ...backup, state: isGood ? 'verified' : 'failed' };
      return { ok: isGood, reasons: isGood ? [] : ['orders: 12 rows instead of 13'] };
    },
    expire: async () => void done.push('expire'),
  };
  const createJob = () => createBackupJob({ time: { hour: 2, minute: 0 }, steps, jobRuns: store.jobRuns, now: () => world.now, logger });
  return { world, store, createJob };
}

const killed = 'the monitor was killed in the middle of it';

describe('the backup job', () => {
  test('takes, verifies and expires, in that order, once a day', async () => {
    const { world, createJob } = createWorld('24T01:00');
    const job = createJob();
    expect(await job.runIfDue(running)).toMatchObject({ isDue: true, reason: 'first' });
    expect(world.done).toEqual(['take', 'verify', 'expire']);
    for (world.now = at('24T01:01'); world.now < at('26T01:00'); world.now += 60_000) await job.runIfDue(running);
    expect(world.backups.map(({ takenAt }) => takenAt)).toEqual([
      '2026-11-24T01:00:00.000Z',
      '2026-11-24T02:00:00.000Z',
      '2026-11-25T02:00:00.000Z',
    ]);
  });

  test('catches a missed run up once, after however many days', async () => {
    const { world, createJob } = createWorld('20T02:00');
    await createJob().runIfDue(running);
    world.now = at('24T13:00');
    const job = createJob();
    expect(await job.runIfDue(running)).toMatchObject({ isDue: true, reason: 'missed' });
    world.now += 60_000;
    expect(await job.runIfDue(running)).toMatchObject({ isDue: false, reason: 'done' });
    expect(world.backups).toHaveLength(2);
  });

  test('that fails is tried again later, also by another process, and says why', async () => {
    const { world, createJob } = createWorld('24T02:00');
    world.fails = 'take';
    await createJob().runIfDue(running);
    expect(await createJob().overview()).toMatchObject({ lastFailure: 'pg_dump is not installed', newestVerifiedAt: undefined });
    world.now += 60_000;
    expect(await createJob().runIfDue(running)).toMatchObject({ isDue: false, reason: 'wait_to_retry' });
    world.now += 15 * 60_000;
    world.fails = undefined;
    expect(await createJob().runIfDue(running)).toMatchObject({ isDue: true, reason: 'retry' });
    expect(await createJob().overview()).toMatchObject({ lastFailure: undefined, newestVerifiedAt: world.now });
  });

  test('expires nothing when the new backup does not restore', async () => {
    const { world, createJob } = createWorld('24T02:00');
    world.fails = 'verify';
    const job = createJob();
    await job.runIfDue(running);
    expect(world.done).toEqual(['take', 'verify']);
    expect((await job.overview()).lastFailure).toContain('orders: 12 rows instead of 13');
  });

  test('of a process that was killed is on record as an attempt that failed', async () => {
    const { world, store, createJob } = createWorld('24T02:00');
    store.jobRuns.begin('backup', world.now, 'scheduled');
    world.now += 60_000;
    const job = createJob();
    expect(store.jobRuns.recent('backup', 9)).toMatchObject([{ outcome: 'failed', endedAt: world.now, detail: killed }]);
    expect(await job.runIfDue(running)).toMatchObject({ isDue: false, reason: 'wait_to_retry' });
    expect((await job.overview()).lastFailure).toBe(killed);
  });

  test('that failed has failed until the next attempt has succeeded, not only until it begins', async () => {
    const { world, createJob } = createWorld('24T02:00');
    world.fails = 'take';
    const job = createJob();
    await job.runIfDue(running);
    world.now += 15 * 60_000;
    world.fails = undefined;
    const during = Promise.withResolvers<string | undefined>();
    world.onTake = () => void job.overview().then(({ lastFailure }) => during.resolve(lastFailure));
    await job.runIfDue(running);
    expect(await during.promise).toBe('pg_dump is not installed');
    expect((await job.overview()).lastFailure).toBeUndefined();
  });

  test.each([
    ['another run holds the lock', () => new BusyError('another backup runs')],
    ['the monitor is stopped', undefined],
  ])('is put off, and no failure, when %s; it stays due', async (_sentence, thrown) => {
    const { world, store, createJob } = createWorld('24T02:00');
    const stopping = new AbortController();
    world.onTake = () => {
      if (!thrown) stopping.abort();
      throw thrown?.() ?? new Error('the monitor stops');
    };
    const job = createJob();
    await job.runIfDue(stopping.signal);
    expect(store.jobRuns.recent('backup', 9)).toMatchObject([{ outcome: 'put_off' }]);
    expect(await job.overview()).toMatchObject({ lastFailure: undefined, decision: { isDue: true } });
  });

  test('never runs twice at a time', async () => {
    const { world, createJob } = createWorld('24T02:00');
    const job = createJob();
    const [first, second] = await Promise.all([job.runIfDue(running), job.runIfDue(running)]);
    expect([first?.isDue, second]).toEqual([true, undefined]);
    expect(world.backups).toHaveLength(1);
  });
});
