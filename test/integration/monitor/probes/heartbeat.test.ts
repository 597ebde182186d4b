import { spawnSync } from 'node:child_process';
import { join, resolve } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { StatusView } from '#monitor/status-page/status-view.ts';
import { cleanEnvironment, compiledOnce } from '#test/support/clean-environment.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';
import { planFor, startMonitor, statusOf, type RunningMonitor } from '../run-monitor.ts';

const timeout = 60_000;

const detailOf = (view: StatusView, name: string) => JSON.stringify(view.targets.find((target) => target.name === name));

const statusFor = async (path: string, method = 'GET') => (await fetch(path, { method })).status;

/** What the command shows of a job of this monitor. */
function commandFor(dir: string, { url }: RunningMonitor, name: string) {
  const env = {
    ...cleanEnvironment(),
    ...compiledOnce,
    MONITOR_DATA_DIR: join(dir, 'data'),
    MONITOR_CONFIG: join(dir, 'monitor.yaml'),
    MONITOR_PORT: new URL(url).port,
  };
  return spawnSync(process.execPath, [resolve('monitor/cli.ts'), 'heartbeat-url', name], { env, encoding: 'utf8' });
}

test('a job says at its address how it fares, and what it said outlives a kill of the monitor', { timeout }, async () => {
  const dir = await temporaryFolder();
  const plan = planFor(dir, {}, { probes: [{ name: 'nightly', kind: 'heartbeat', every: '1h' }] });
  const monitor = await startMonitor(plan);
  onTestFinished(() => monitor.kill());
  await monitor.untilStatus((view) => statusOf(view, 'nightly') === 'up');
  expect(commandFor(dir, monitor, 'other')).toMatchObject({ status: 64, stderr: expect.stringContaining('there are nightly') });
  const [address = ''] = commandFor(dir, monitor, 'nightly').stdout.split('\n');
  expect(address.startsWith(`${monitor.url}/beat/nightly/`)).toBe(true);

  expect(await statusFor(`${monitor.url}/beat/nightly/${'x'.repeat(43)}/3`)).toBe(404);
  expect(await statusFor(address.replace('nightly', 'daily'))).toBe(404);
  expect(await statusFor(`${address}/soon`)).toBe(422);
  expect(await statusFor(address, 'DELETE')).toBe(405);
  expect(await monitor.untilStatus((view) => statusOf(view, 'nightly') === 'up')).toBeDefined();

  expect(await statusFor(`${address}/3`)).toBe(200);
  await monitor.untilStatus((view) => statusOf(view, 'nightly') === 'down' && detailOf(view, 'nightly').includes('it ended with code 3'));
  await monitor.kill();

  const again = await startMonitor(plan);
  onTestFinished(() => again.kill());
  await again.untilStatus((view) => statusOf(view, 'nightly') === 'down' && detailOf(view, 'nightly').includes('it ended with code 3'));
  expect(await statusFor(`${again.url}${new URL(address).pathname}`, 'HEAD')).toBe(200);
  await again.untilStatus((view) => statusOf(view, 'nightly') === 'up' && detailOf(view, 'nightly').includes('it ended well at'));
});

test('a job that falls silent is down', { timeout }, async () => {
  const plan = planFor(await temporaryFolder(), {}, { probes: [{ name: 'minutely', kind: 'heartbeat', every: '1s', grace: '1s' }] });
  const monitor = await startMonitor(plan);
  onTestFinished(() => monitor.kill());
  await monitor.untilStatus((view) => statusOf(view, 'minutely') === 'up');
  const view = await monitor.untilStatus((seen) => statusOf(seen, 'minutely') === 'down');
  expect(detailOf(view, 'minutely')).toContain('it has never said that it ended well');
});
