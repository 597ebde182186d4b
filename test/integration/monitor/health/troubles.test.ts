import { mkdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { clientOptions } from '#lib/postgres.ts';
import { createDatabase } from '#test/support/database.ts';
import { startSlackRecorder } from '#test/support/slack-recorder.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';
import { planFor, quickCadence, startMonitor, statusOf } from '../run-monitor.ts';
import { startWatchedApi } from '../watched-api.ts';
import { listen } from '#test/support/listen.ts';

const timeout = 90_000;

/** Titles of all messages so far, as `[FIRING] api`. */
type Slack = Awaited<ReturnType<typeof startSlackRecorder>>;
const titles = (slack: Slack): string[] => slack.texts().map((text) => text.split(':')[0] ?? text);

async function watch(env: Readonly<Record<string, string>>, config: object) {
  const [slack, dir] = await Promise.all([startSlackRecorder(), temporaryFolder()]);
  const monitor = await startMonitor(planFor(dir, { SLACK_WEBHOOK_URL: slack.url, ...env }, config));
  onTestFinished(async () => {
    await monitor.kill();
    await slack.close();
  });
  return { slack, monitor, dir };
}

describe('what the monitor cannot tell', { timeout }, () => {
  test('is told once after its bound when its own password is refused, and once when it is taken again', async () => {
    const database = await createDatabase();
    onTestFinished(database.drop);
    const { settings } = database;
    const admin = new Client(clientOptions(settings, 'atalaya-test'));
    await admin.connect();
    const role = `watcher_${settings.POSTGRES_DB.replaceAll(/\W/g, '')}`;
    await admin.query(`CREATE ROLE ${role} LOGIN PASSWORD 'right-one'`);
    onTestFinished(async () => {
      await admin.query(`DROP ROLE ${role}`);
      await admin.end();
    });
    const env = Object.fromEntries(
      Object.entries({ ...settings, POSTGRES_USER: role, POSTGRES_PASSWORD: 'right-one' }).map(([k, v]) => [k, `${v}`]),
    );
    const { slack, monitor } = await watch(env, {
      defaults: { ...quickCadence, unknownAfter: '500ms' },
      probes: [{ name: 'postgresql', kind: 'postgres' }],
    });
    await monitor.untilStatus((view) => statusOf(view, 'postgresql') === 'up');
    await admin.query(`ALTER ROLE ${role} PASSWORD 'another-one'`);
    await slack.until(() => titles(slack).length === 1);
    expect(slack.texts()[0]).toMatch(/^\[UNKNOWN\] postgresql: the monitor itself cannot tell how it is: .*28P01.*check POSTGRES_USER/);
    await monitor.untilStatus((view) => (view.targets[0]?.recent.length ?? 0) > 30);
    await admin.query(`ALTER ROLE ${role} PASSWORD 'right-one'`);
    await slack.until(() => titles(slack).length === 2);
    expect(titles(slack)).toEqual(['[UNKNOWN] postgresql', '[KNOWN] postgresql']);
    expect(JSON.stringify(slack.messages)).not.toContain('right-one');
  });

  test('is told when the folder of the backups cannot be used', async () => {
    const [api, folder] = await Promise.all([startWatchedApi(), temporaryFolder()]);
    onTestFinished(api.kill);
    const BACKUP_DIR = join(folder, 'sets');
    await writeFile(BACKUP_DIR, 'a file, where a folder should be');
    const { slack, monitor } = await watch(
      { API_URL: api.url, BACKUP_ENABLED: 'true', BACKUP_DIR },
      { defaults: { ...quickCadence, unknownAfter: '500ms' }, backups: { settle: '1h', interval: '100ms' } },
    );
    await slack.until(() => titles(slack).length === 1);
    expect(slack.texts()[0]).toMatch(/^\[UNKNOWN\] backups: .*catalogue of backups cannot be read/);
    await rm(BACKUP_DIR);
    await mkdir(BACKUP_DIR);
    await monitor.untilStatus((view) => statusOf(view, 'backups') === 'up');
    await slack.until(() => titles(slack).length === 2);
    expect(titles(slack)).toEqual(['[UNKNOWN] backups', '[KNOWN] backups']);
  });
});

describe('a target that comes and goes', { timeout }, () => {
  test('is told once, and once when it has settled', async () => {
    const api = await startWatchedApi();
    onTestFinished(api.kill);
    const { slack, monitor } = await watch({ API_URL: api.url }, { flapping: { window: '30s', settle: '3s' } });
    await monitor.untilStatus((view) => statusOf(view, 'api') === 'up');
    for (let turn = 0; turn < 8; turn += 1) {
      await api.kill();
      await sleep(700);
      await api.start();
      await sleep(700);
    }
    await slack.until(() => titles(slack).includes('[SETTLED] api'));
    expect(titles(slack)).toEqual(['[FIRING] api', '[RESOLVED] api', '[FLAPPING] api', '[SETTLED] api']);
  });
});

describe('a target that is slow', { timeout }, () => {
  test('is degraded, and warned of once when it stays so', async () => {
    const server = createServer((_request, response) => void setTimeout(() => response.end('{"status":"healthy"}'), 300));
    const { slack, monitor } = await watch(
      { API_URL: `http://127.0.0.1:${await listen(server)}` },
      { defaults: { ...quickCadence, slow: '200ms', warnAfter: '1s' } },
    );
    await slack.until(() => titles(slack).length === 1);
    expect(slack.texts()[0]).toMatch(/^\[NOTICE\] api: it has been degraded for [\d.]+ s: HTTP 200; it took 3\d\d ms, more than 200 ms$/);
    const view = await monitor.untilStatus(({ targets }) => (targets[0]?.recent.length ?? 0) > 12);
    expect(statusOf(view, 'api')).toBe('degraded');
    expect(titles(slack)).toEqual(['[NOTICE] api']);
  });
});

describe('a backup that fails', { timeout: 150_000 }, () => {
  test('is told at its failure, whatever the age of the one before', async () => {
    const database = await createDatabase();
    onTestFinished(database.drop);
    const settings = Object.fromEntries(Object.entries(database.settings).map(([name, value]) => [name, `${value}`]));
    const { slack } = await watch(
      // Without pg_dump none can be taken.
      { ...settings, PATH: '/nowhere', BACKUP_ENABLED: 'true', BACKUP_DIR: join(await temporaryFolder(), 'sets') },
      { probes: [{ name: 'postgresql', kind: 'postgres' }], backups: { settle: '0s', interval: '200ms' } },
    );
    // The daily job looks at the clock once a minute.
    await slack.until(() => titles(slack).length === 1, 100_000);
    expect(slack.texts()[0]).toMatch(/^\[FIRING\] backups: The last backup failed\. .*pg_dump.*no verified backup yet/);
  });
});
