import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { startSlackRecorder, type SlackRecorder } from '#test/support/slack-recorder.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';
import { planFor, startMonitor, statusOf, type MonitorPlan, type RunningMonitor } from '../run-monitor.ts';
import { startWatchedApi, type WatchedApi } from '../watched-api.ts';
import { listen } from '#test/support/listen.ts';

const timeout = 90_000;

type Scene = { readonly slack: SlackRecorder; readonly api: WatchedApi; readonly plan: MonitorPlan };

async function setScene(env: Readonly<Record<string, string>> = {}): Promise<Scene> {
  const [slack, api, dir] = await Promise.all([startSlackRecorder(), startWatchedApi(), temporaryFolder()]);
  onTestFinished(async () => void (await Promise.all([slack.close(), api.kill()])));
  return { slack, api, plan: planFor(dir, { API_URL: api.url, SLACK_WEBHOOK_URL: slack.url, ...env }) };
}

async function start(plan: MonitorPlan): Promise<RunningMonitor> {
  const monitor = await startMonitor(plan);
  onTestFinished(() => monitor.kill());
  await monitor.untilStatus((view) => statusOf(view, 'api') === 'up');
  return monitor;
}

describe('SIGHUP', { timeout }, () => {
  test('puts a changed file in force without a restart; incidents and messages go on', async () => {
    const { slack, api, plan } = await setScene();
    const monitor = await start(plan);
    await api.kill();
    await slack.until(() => slack.texts('[FIRING] api').length === 1);
    const config = plan.config as { probes: object[] };
    const more = { ...config, probes: [...config.probes, { name: 'shop', kind: 'http', url: '/health_check' }] };
    writeFileSync(join(plan.dir, 'monitor.yaml'), stringify(more));
    monitor.child.kill('SIGHUP');
    await monitor.untilStatus(({ targets }) => targets.length === 2);
    await api.start();
    await slack.until(() => slack.texts('[RESOLVED] api').length === 1);
    expect(slack.texts('[FIRING] api')).toHaveLength(1);
    expect(monitor.child.exitCode).toBeNull();
  });

  test('with a file that cannot be used leaves monitoring as it is, and says so to people and on the page until it is mended', async () => {
    const { slack, api, plan } = await setScene();
    const monitor = await start(plan);
    const file = join(plan.dir, 'monitor.yaml');
    writeFileSync(file, 'probes: [{ name: api, kind: telepathy }]');
    monitor.child.kill('SIGHUP');
    await slack.until(() => slack.texts('[FIRING] monitor.settings').length === 1);
    expect(slack.texts()[0]).toMatch(/the old ones stay in force: .*monitor\.yaml/);
    await monitor.untilStatus(({ monitor: self }) =>
      self.reasons.some((reason) => reason.includes('telepathy') || reason.includes('kind')),
    );
    await api.kill();
    await slack.until(() => slack.texts('[FIRING] api').length === 1);
    writeFileSync(file, stringify(plan.config));
    await slack.until(() => slack.texts('[RESOLVED] monitor.settings').length === 1);
    const { timeline } = await monitor.untilStatus(({ monitor: self }) => self.reasons.length === 0);
    expect(timeline?.map(({ event, by }) => [event, by]).slice(0, 2)).toEqual([
      ['reloaded', 'a change of the file'],
      ['reload_refused', expect.any(String)],
    ]);
  });

  test('is not needed: a changed file is noticed, and what is open, told and on its way goes on', async () => {
    const { slack, api, plan } = await setScene();
    const monitor = await start(plan);
    slack.behave({ status: 500 });
    await api.kill();
    await monitor.untilStatus(({ channels }) => channels?.[0]?.pending === 1);
    const config = plan.config as { probes: object[] };
    writeFileSync(
      join(plan.dir, 'monitor.yaml'),
      stringify({ ...config, probes: [...config.probes, { name: 'shop', kind: 'http', url: '/health_check' }] }),
    );
    const { targets } = await monitor.untilStatus((view) => view.targets.length === 2);
    // What was seen before stays: sixty looks are more than the new parts can have made.
    expect(targets.find(({ name }) => name === 'api')?.recent.length).toBeGreaterThan(
      targets.find(({ name }) => name === 'shop')?.recent.length ?? 0,
    );
    slack.behave('accept');
    await slack.until(() => slack.texts('[FIRING] api').length === 1);
    await api.start();
    await slack.until(() => slack.texts('[RESOLVED] api').length === 1);
  });
});

describe('the folder', { timeout }, () => {
  test('is closed to others, and a damaged lock file stops no start', async () => {
    const { plan } = await setScene();
    const first = await start(plan);
    await first.stop();
    writeFileSync(join(plan.dir, 'data', 'monitor.lock'), 'this is no database. '.repeat(300));
    await start(plan);
    const modeOf = (name: string): number => statSync(join(plan.dir, 'data', name)).mode & 0o777;
    expect(modeOf('')).toBe(0o700);
    expect(modeOf('monitor.db')).toBe(0o600);
    expect(modeOf('monitor.db-wal')).toBe(0o600);
  });

  test('that is removed while it runs ends the monitor, so that no two tell the same', async () => {
    const { plan } = await setScene();
    const monitor = await start(plan);
    rmSync(join(plan.dir, 'data'), { recursive: true });
    expect(await monitor.ended).toBe(1);
    expect(monitor.output()).toContain('was removed or replaced');
    await start(plan);
  });

  test('whose store is damaged is told of, and the monitor goes on with a new one', async () => {
    const { slack, plan } = await setScene();
    const first = await start(plan);
    await first.stop();
    rmSync(join(plan.dir, 'data', 'monitor.db-wal'), { force: true });
    writeFileSync(join(plan.dir, 'data', 'monitor.db'), 'this is no database. '.repeat(500));
    await start(plan);
    await slack.until(() => slack.texts('[NOTICE] monitor.store').length === 1);
    expect(slack.texts()[0]).toMatch(/the store was damaged; it is kept as .*monitor\.db\.damaged-/);
  });
});

describe('a frozen monitor', { timeout }, () => {
  test.each([
    ['whose loop is blocked', 'SIGUSR2'],
    ['that was suspended', 'SIGSTOP'],
  ] as const)('%s is ended by its watchdog, and the next start tells so', async (_, signal) => {
    const { slack, plan } = await setScene();
    const frozen = await startMonitor({ ...plan, env: { ...plan.env, TEST_STANDSTILL_MS: '2000' } });
    onTestFinished(() => frozen.kill());
    await frozen.untilStatus((view) => statusOf(view, 'api') === 'up');
    frozen.child.kill(signal);
    expect(await frozen.ended).toBe('SIGKILL');
    await start(plan);
    await slack.until(() => slack.texts('[NOTICE] monitor.watchdog').length === 1);
    expect(slack.texts()[0]).toContain('had stood still for 2 s');
  });

  test('that goes on in time is left alone, and its watchdog ends with it', async () => {
    const { plan } = await setScene();
    const monitor = await startMonitor({ ...plan, env: { ...plan.env, TEST_STANDSTILL_MS: '2000' } });
    onTestFinished(() => monitor.kill());
    await monitor.untilStatus((view) => statusOf(view, 'api') === 'up');
    monitor.child.kill('SIGSTOP');
    await sleep(500);
    monitor.child.kill('SIGCONT');
    const from = Date.now();
    await monitor.untilStatus((view) => Date.parse(view.generated_at) - from > 3_000);
    const children = childrenOf(monitor.child.pid);
    expect(children.length).toBeGreaterThan(0);
    expect(await monitor.stop()).toBe(0);
    await expect.poll(() => children.filter((pid) => existsSync(`/proc/${pid}`)), { timeout: 20_000 }).toEqual([]);
  });
});

const childrenOf = (pid = 0): string[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter((child) => child !== '');

test('a heartbeat goes out to whoever watches the watchman', { timeout }, async () => {
  const beat = Promise.withResolvers<string>();
  const receiver = createServer((request, response) => {
    beat.resolve(`${request.method} ${request.url}`);
    response.end();
  });
  const { plan } = await setScene({ HEARTBEAT_URL: `http://127.0.0.1:${await listen(receiver)}/ping/secret` });
  await start(plan);
  expect(await beat.promise).toBe('POST /ping/secret');
});
