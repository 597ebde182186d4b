import { join } from 'node:path';
import { Client } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '#deploy/local/postgres/embedded-postgres.ts';
import { clientOptions } from '#lib/postgres.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { openDatabase, storeFileName } from '#monitor/store/database.ts';
import { freePort } from '#test/support/free-port.ts';
import { startMailRecorder } from '#test/support/mail-recorder.ts';
import { startSlackRecorder } from '#test/support/slack-recorder.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';
import { planFor, startMonitor, statusOf, type MonitorPlan, type RunningMonitor } from '../run-monitor.ts';
import { startWatchedApi } from '../watched-api.ts';

const timeout = 90_000;

const probes = [
  { name: 'postgresql', kind: 'postgres' },
  {
    name: 'api',
    kind: 'http',
    url: '/health_check',
    dependsOn: ['postgresql'],
    conditions: ['[STATUS] == 200', '[BODY].status != critical'],
  },
];

type Database = { readonly settings: PostgresSettings; readonly stop: () => Promise<void>; readonly start: () => Promise<void> };

/** A server of this test alone, that can be stopped. */
async function startDatabase(): Promise<Database> {
  const options = {
    dataDir: join(await temporaryFolder(), 'postgres'),
    port: await freePort(),
    user: 'atalaya',
    password: 'test-password',
  };
  let server: EmbeddedPostgres | undefined;
  const stop = async (): Promise<void> => {
    await server?.stop();
    server = undefined;
  };
  const start = async (): Promise<void> => {
    server = await startEmbeddedPostgres({ ...options, settings: { fsync: 'off' } });
  };
  await start();
  onTestFinished(stop);
  const settings = {
    POSTGRES_HOST: '127.0.0.1',
    POSTGRES_PORT: options.port,
    POSTGRES_DB: 'postgres',
    POSTGRES_USER: options.user,
    POSTGRES_PASSWORD: options.password,
  };
  return { settings, stop, start };
}

const environmentOf = (settings: PostgresSettings): Record<string, string> =>
  Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)]));

/** Says what the API says: critical while its database does not answer. */
async function healthOf(settings: PostgresSettings): Promise<string> {
  const client = new Client({ ...clientOptions(settings, 'atalaya-test'), connectionTimeoutMillis: 1_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return 'healthy';
  } catch {
    return 'critical';
  } finally {
    await client.end().catch(() => {});
  }
}

async function startWatching(plan: MonitorPlan): Promise<RunningMonitor> {
  const monitor = await startMonitor(plan);
  onTestFinished(() => monitor.kill());
  return monitor;
}

describe('an outage of the database', () => {
  test('is one page that names PostgreSQL and the API with it, and one resolve', { timeout }, async () => {
    const database = await startDatabase();
    const [slack, mail, dir] = await Promise.all([startSlackRecorder(), startMailRecorder(), temporaryFolder()]);
    const api = await startWatchedApi(() => healthOf(database.settings));
    onTestFinished(async () => void (await Promise.all([slack.close(), mail.close(), api.kill()])));
    const env = { ...environmentOf(database.settings), API_URL: api.url, SLACK_WEBHOOK_URL: slack.url, SMTP_URL: mail.url };
    const monitor = await startWatching(planFor(dir, env, { probes }));
    await monitor.untilStatus(({ status }) => status === 'up');
    await database.stop();
    await slack.until(() => slack.texts('[FIRING] postgresql').length === 1);
    const view = await monitor.untilStatus((seen) => statusOf(seen, 'api') === 'down' && statusOf(seen, 'postgresql') === 'down');
    expect(view.incidents?.find(({ target }) => target === 'api')).toMatchObject({ explained_by: 'postgresql', alerted_at: null });
    await database.start();
    await slack.until(() => slack.texts('[RESOLVED] postgresql').length === 1, 40_000);
    await mail.until(() => mail.subjects('[RESOLVED]').length === 1);
    await monitor.untilStatus(
      ({ status, incidents }) => status === 'up' && incidents?.every(({ ended_at: endedAt }) => endedAt !== null) === true,
    );
    expect(slack.texts().map((text) => text.split(':')[0])).toEqual(['[FIRING] postgresql', '[RESOLVED] postgresql']);
    expect(slack.texts()[0]).toContain('PostgreSQL at 127.0.0.1');
    expect(JSON.stringify(slack.messages[0]?.body)).toContain('*Depends on it:* api');
    expect(mail.subjects()).toEqual(['[FIRING] postgresql', '[RESOLVED] postgresql']);
  });

  test('is unknown, not down, when only the monitor’s own password is refused', { timeout }, async () => {
    const database = await startDatabase();
    const env = { ...environmentOf(database.settings), POSTGRES_PASSWORD: 'not-the-password' };
    const monitor = await startWatching(planFor(await temporaryFolder(), env, { probes: probes.slice(0, 1) }));
    const view = await monitor.untilStatus(({ targets }) => (targets[0]?.recent.length ?? 0) >= 5);
    expect(view.targets[0]).toMatchObject({ status: 'unknown', detail: expect.stringContaining('28P01') });
    expect(view.incidents).toEqual([]);
    expect(monitor.output() + JSON.stringify(view)).not.toContain('not-the-password');
  });
});

describe('a monitor whose own store is locked', () => {
  test('still tells of an outage, and records it once it can write again', { timeout }, async () => {
    const [slack, dir] = await Promise.all([startSlackRecorder(), temporaryFolder()]);
    const api = await startWatchedApi();
    onTestFinished(async () => void (await Promise.all([slack.close(), api.kill()])));
    const monitor = await startWatching(planFor(dir, { API_URL: api.url, SLACK_WEBHOOK_URL: slack.url }));
    await monitor.untilStatus((view) => statusOf(view, 'api') === 'up');
    const intruder = openDatabase(join(dir, 'data', storeFileName));
    onTestFinished(() => intruder.close());
    intruder.exec('BEGIN EXCLUSIVE');
    await api.kill();
    await slack.until(() => slack.texts('[FIRING] api').length === 1);
    const view = await monitor.untilStatus((seen) => statusOf(seen, 'api') === 'down');
    expect(view.monitor).toMatchObject({ status: 'failing', reasons: [expect.stringContaining('database is locked')] });
    expect(view.incidents ?? []).toEqual([]);
    intruder.exec('COMMIT');
    await monitor.untilStatus(({ incidents, monitor: { status } }) => incidents?.length === 1 && status === 'ok');
    expect(slack.texts()).toHaveLength(1);
  });
});
