import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { IncidentView, StatusView } from '#monitor/status-page/status-view.ts';
import { cleanEnvironment, compiledOnce } from '#test/support/clean-environment.ts';
import { freePort } from '#test/support/free-port.ts';
import { startMailRecorder } from '#test/support/mail-recorder.ts';
import { startSlackRecorder } from '#test/support/slack-recorder.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';
import { planFor, startMonitor, statusOf } from './run-monitor.ts';
import { startWatchedApi } from './watched-api.ts';

type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

const timeout = 60_000;

/** Runs `npm run monitor -- …` without npm, far from any local stack. */
async function runCli(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  const child = spawn(process.execPath, [resolve('monitor/cli.ts'), ...args], {
    env: {
      ...cleanEnvironment(),
      ...compiledOnce,
      LOCAL_DATA_DIR: await temporaryFolder(),
      MONITOR_DATA_DIR: await temporaryFolder(),
      BACKUP_ENABLED: 'false',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.stderr += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...output };
}

describe('npm run monitor --', { timeout }, () => {
  test('check-config says what would be watched', async () => {
    const { code, stdout } = await runCli(['check-config']);
    expect(code).toBe(0);
    expect(stdout).toContain('api: http, http://127.0.0.1:8000/…, alert within 22 s, depends on postgresql');
    expect(stdout).toContain('the configuration is valid');
  });

  test('check-config names every mistake, each on one line, and ends with 78', async () => {
    const { code, stderr } = await runCli(['check-config'], { MONITOR_PORT: 'x', SMTP_URL: 'smtp://user:hunter2@' });
    expect(code).toBe(78);
    expect(stderr.trim().split('\n')).toEqual([
      expect.stringMatching(/^error: MONITOR_PORT=x: must be a whole number/),
      expect.stringMatching(/^error: SMTP_URL=\(hidden\): must be a URL/),
    ]);
  });

  test('test-alert reaches every channel; one that refuses makes it end with 1', async () => {
    const [slack, mail] = await Promise.all([startSlackRecorder(), startMailRecorder()]);
    onTestFinished(async () => void (await Promise.all([slack.close(), mail.close()])));
    const env = {
      SLACK_WEBHOOK_URL: slack.url,
      SMTP_URL: mail.url,
      ALERT_EMAIL_FROM: 'm@shop.example',
      ALERT_EMAIL_TO: 'ops@shop.example',
    };
    expect(await runCli(['test-alert'], env)).toEqual({ code: 0, stdout: 'slack: delivered\nemail: delivered\n', stderr: '' });
    expect(slack.texts()).toEqual(['[TEST] monitor: this is a test; alerts reach this channel']);
    expect(mail.subjects()).toEqual(['[TEST] monitor']);
    slack.behave({ status: 403, body: 'invalid_token' });
    const refused = await runCli(['test-alert'], env);
    expect(refused).toMatchObject({ code: 1, stdout: 'slack: not delivered: HTTP 403 (invalid_token)\nemail: delivered\n' });
  });

  test('test-alert without a channel ends with 78 and says what to set', async () => {
    expect(await runCli(['test-alert'])).toEqual({
      code: 78,
      stdout: '',
      stderr: 'error: no alert channel is configured; set SLACK_WEBHOOK_URL or SMTP_URL\n',
    });
  });

  test('status without a monitor ends with 69', async () => {
    const { code, stderr } = await runCli(['status'], { MONITOR_PORT: String(await freePort()) });
    expect(code).toBe(69);
    expect(stderr).toMatch(/^error: no monitor answers at http:\/\/127\.0\.0\.1:\d+\/api\/operator\/status .*\n$/);
  });

  test('status and incidents show what the running monitor sees', async () => {
    const [api, dir] = await Promise.all([startWatchedApi(), temporaryFolder()]);
    onTestFinished(api.kill);
    const monitor = await startMonitor(planFor(dir, { API_URL: api.url }));
    onTestFinished(() => monitor.kill());
    await monitor.untilStatus((view) => statusOf(view, 'api') === 'up');
    await api.kill();
    await monitor.untilStatus((view) => statusOf(view, 'api') === 'down');
    const env = { MONITOR_PORT: new URL(monitor.url).port, MONITOR_DATA_DIR: join(dir, 'data') };
    expect((await runCli(['status'], env)).stdout).toMatch(/^api +down /);
    const [incidents, status] = await Promise.all([runCli(['incidents', '--json'], env), runCli(['status', '--json'], env)]);
    const [told] = JSON.parse(incidents.stdout) as IncidentView[];
    expect(told).toMatchObject({ target: 'api', ended_at: null, detail: expect.stringContaining('ECONNREFUSED') });
    // One shape for both: the same names, and times as ISO texts.
    const [shown] = (JSON.parse(status.stdout) as StatusView).incidents ?? [];
    expect(told).toEqual({ ...shown, duration_ms: told?.duration_ms });
    const kept = await runCli(['note', told?.id ?? '', '--text', 'Two lines,\nof text.', '--public', '--by', 'Ana', '--json'], env);
    expect(JSON.parse(kept.stdout)).toMatchObject({ done: 'note', note: { incident_id: told?.id, by: 'Ana', is_public: true } });
    const read = await fetch(`${monitor.url}/api/incidents/${told?.id}`);
    expect(await read.json()).toMatchObject({ notes: [{ kind: 'note', text: 'Two lines,\nof text.' }] });
    expect(await runCli(['note', 'api-0', '--text', 'x'], env)).toMatchObject({
      code: 64,
      stderr: expect.stringContaining('no incident has the id'),
    });
  });

  test.each([
    [['fly'], 'unknown command "fly"'],
    [['incidents', '--limit', '0'], '--limit must be a whole number'],
    [['status', '--colour'], 'Unknown option'],
  ])('%j is misuse and ends with 64', async (args, message) => {
    const { code, stderr } = await runCli(args);
    expect(code).toBe(64);
    expect(stderr).toContain(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });

  test('without a command is the daemon: a port in use ends it with 78, naming port and variable', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as { port: number };
    const { code, stderr } = await runCli([], { MONITOR_PORT: String(port) });
    expect(code).toBe(78);
    expect(stderr).toBe(
      `error: MONITOR_PORT=${port}: port ${port} on 127.0.0.1 is in use; stop what listens there or set MONITOR_PORT to a free port\n`,
    );
  });
});

describe('a second monitor', { timeout }, () => {
  test('on the same folder ends with 75 and names the first', async () => {
    const [api, dir] = await Promise.all([startWatchedApi(), temporaryFolder()]);
    onTestFinished(api.kill);
    const first = await startMonitor(planFor(dir, { API_URL: api.url }));
    onTestFinished(() => first.kill());
    await first.untilStatus(() => true);
    const second = await runCli([], { MONITOR_DATA_DIR: join(dir, 'data'), MONITOR_PORT: String(await freePort()) });
    expect(second.code).toBe(75);
    expect(second.stderr).toContain(`process ${first.child.pid}`);
    await first.kill();
    const third = await startMonitor(planFor(dir, { API_URL: api.url }));
    onTestFinished(() => third.kill());
    await third.untilStatus((view) => statusOf(view, 'api') === 'up');
  });
});
