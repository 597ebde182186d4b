import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Client } from 'pg';
import { expect, onTestFinished, test } from 'vitest';
import { createLogger } from '#lib/logger.ts';
import { clientOptions } from '#lib/postgres.ts';
import { createBackupJob } from '#monitor/backup/job.ts';
import { backupSteps } from '#monitor/backup/steps.ts';
import { readMonitorSettings } from '#monitor/config/config.ts';
import { backupProbe } from '#monitor/backup/probe.ts';
import { openDatabase } from '#monitor/store/database.ts';
import { createStore } from '#monitor/store/open-store.ts';
import { createDatabase } from '#test/support/database.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';

const missingClient =
  spawnSync('pg_dump', ['--version']).status === 0 ? undefined : 'pg_dump is not installed: apt-get install postgresql-client';
const logger = createLogger('test', { LOG_LEVEL: 'silent', LOG_FORMAT: 'json' });
const running = new AbortController().signal;

test('the daily backup is taken from a real database, verified, and then not due again', { timeout: 90_000 }, async ({ skip }) => {
  skip(missingClient !== undefined, missingClient);
  const database = await createDatabase();
  onTestFinished(database.drop);
  const client = new Client(clientOptions(database.settings, 'atalaya-test'));
  await client.connect();
  await client.query('CREATE TABLE orders AS SELECT i AS id FROM generate_series(1, 500) i');
  await client.end();
  const settings = Object.fromEntries(Object.entries(database.settings).map(([name, value]) => [name, String(value)]));
  const { env } = await readMonitorSettings({ ...settings, BACKUP_DIR: join(await temporaryFolder(), 'sets') });
  const store = createStore(openDatabase(':memory:'));
  onTestFinished(() => store.close());
  const job = createBackupJob({ time: env.BACKUP_SCHEDULE_UTC, steps: backupSteps(env), jobRuns: store.jobRuns, now: Date.now, logger });
  expect(await job.runIfDue(running)).toEqual({ isDue: true, reason: 'first' });
  const overview = await job.overview();
  expect(overview).toMatchObject({ lastFailure: undefined, decision: { isDue: false, reason: 'done' }, backups: [{ state: 'verified' }] });
  expect(await job.runIfDue(running)).toMatchObject({ isDue: false });
  const probe = backupProbe(job.overview, { maxAgeMs: 60_000, now: Date.now });
  expect(await probe(running)).toMatchObject({
    outcome: 'ok',
    detail: expect.stringMatching(/^newest verified backup is [\d.]+ m?s old$/),
  });
});

test('without pg_dump the job refuses clearly, and the next attempt waits', { timeout: 60_000 }, async () => {
  const database = await createDatabase();
  onTestFinished(database.drop);
  const settings = Object.fromEntries(Object.entries(database.settings).map(([name, value]) => [name, String(value)]));
  const { env } = await readMonitorSettings({ ...settings, BACKUP_DIR: join(await temporaryFolder(), 'sets') });
  const store = createStore(openDatabase(':memory:'));
  onTestFinished(() => store.close());
  const job = createBackupJob({ time: env.BACKUP_SCHEDULE_UTC, steps: backupSteps(env), jobRuns: store.jobRuns, now: Date.now, logger });
  const path = process.env['PATH'];
  process.env['PATH'] = '/nowhere';
  onTestFinished(() => void (process.env['PATH'] = path));
  await job.runIfDue(running);
  const overview = await job.overview();
  expect(overview.lastFailure).toContain('pg_dump');
  expect(overview.decision).toMatchObject({ isDue: false, reason: 'wait_to_retry' });
});
