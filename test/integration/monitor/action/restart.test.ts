import { readFileSync } from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '#test/support/free-port.ts';
import { adminToken, startApi, type ApiProcess } from '#test/support/api-process.ts';
import { createMigratedDatabase } from '#test/support/migrated-database.ts';
import { startSlackRecorder } from '#test/support/slack-recorder.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';
import { planFor, startMonitor, statusOf } from '../run-monitor.ts';

const timeout = 120_000;
const cadence = { interval: '200ms', timeout: '1s', confirmInterval: '50ms', failures: 2, successes: 1, startGrace: '0s' };

/** Processes that an API has started. */
const workersOf = ({ child }: ApiProcess): number[] =>
  readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ').map(Number);

test('an API whose workers hang is drained by the monitor, ends, and is up again once it is started anew', { timeout }, async () => {
  const database = await createMigratedDatabase();
  onTestFinished(database.drop);
  const ports = { API_PORT: `${await freePort()}`, ADMIN_PORT: `${await freePort()}`, DRAIN_TIMEOUT: '1' };
  const api = await startApi(database.settings, ports);
  onTestFinished(async () => void (await api.stop()));
  await api.ready();
  const slack = await startSlackRecorder();
  onTestFinished(slack.close);

  const probes = [{ name: 'api', kind: 'http', url: '/health_check' }];
  const actions = [{ target: 'api', admin: api.adminUrl, mode: 'act' }];
  const env = { API_URL: api.url, ADMIN_TOKEN: adminToken, SLACK_WEBHOOK_URL: slack.url };
  const monitor = await startMonitor(planFor(await temporaryFolder(), env, { defaults: cadence, probes, actions }));
  onTestFinished(() => monitor.kill());
  await monitor.untilStatus((view) => statusOf(view, 'api') === 'up');

  const workers = workersOf(api);
  expect(workers).toHaveLength(2);
  for (const pid of workers) process.kill(pid, 'SIGSTOP');
  await monitor.untilStatus((view) => statusOf(view, 'api') === 'down');
  // What compose does with `restart: unless-stopped`.
  await api.exited;
  const again = await startApi(database.settings, ports);
  onTestFinished(async () => void (await again.stop()));
  await again.ready();
  await monitor.untilStatus((view) => statusOf(view, 'api') === 'up');
  await expect
    .poll(() => slack.texts().join('\n'), { timeout: 10_000 })
    .toContain('api hangs: it was asked to drain, and is to be started again; 1 of 3 within an hour');
});
