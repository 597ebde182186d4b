import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { linkCountsMs, readSigner, signLink } from '#monitor/quiet/signature.ts';
import { cleanEnvironment, compiledOnce } from '#test/support/clean-environment.ts';
import { startSlackRecorder, type SlackRecorder } from '#test/support/slack-recorder.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';
import { planFor, startMonitor, statusOf, type MonitorPlan, type RunningMonitor } from '../run-monitor.ts';
import { startWatchedApi, type WatchedApi } from '../watched-api.ts';

const timeout = 90_000;

type Scene = { readonly slack: SlackRecorder; readonly api: WatchedApi; readonly plan: MonitorPlan; readonly monitor: RunningMonitor };

async function setScene(config: object = {}): Promise<Scene> {
  const [slack, api, dir] = await Promise.all([startSlackRecorder(), startWatchedApi(), temporaryFolder()]);
  onTestFinished(async () => void (await Promise.all([slack.close(), api.kill()])));
  const plan = planFor(dir, { API_URL: api.url, SLACK_WEBHOOK_URL: slack.url }, config);
  const monitor = await startMonitor(plan);
  onTestFinished(() => monitor.kill());
  await monitor.untilStatus((view) => statusOf(view, 'api') === 'up');
  return { slack, api, plan, monitor };
}

/** `npm run monitor -- …` beside the running monitor, without npm. */
async function cli({ monitor, plan }: Scene, ...args: readonly string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [resolve('monitor/cli.ts'), ...args], {
    env: {
      ...cleanEnvironment(),
      ...compiledOnce,
      LOCAL_DATA_DIR: plan.dir,
      MONITOR_DATA_DIR: join(plan.dir, 'data'),
      MONITOR_PORT: new URL(monitor.url).port,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...said };
}

const silenceApi = ['silence', 'api', '--for', '1h', '--reason', 'deploy', '--by', 'ana'];

describe('a silence', { timeout }, () => {
  test('holds an outage back, which status and incidents name, until it is ended; a restart in between changes nothing', async () => {
    const scene = await setScene();
    const { slack, api, plan } = scene;
    expect(await cli(scene, ...silenceApi)).toMatchObject({ code: 0, stdout: expect.stringMatching(/^s1: api silenced until .* UTC\n$/) });
    await api.kill();
    await scene.monitor.untilStatus((view) => view.incidents?.[0]?.held_by === 'silence s1');
    await scene.monitor.kill();
    const monitor = await startMonitor(plan);
    onTestFinished(() => monitor.kill());
    await monitor.untilStatus((view) => statusOf(view, 'api') === 'down');
    const after = { ...scene, monitor };
    expect((await cli(after, 'incidents')).stdout).toContain('held by silence s1');
    const { stdout } = await cli(after, 'status');
    expect(stdout).toMatch(/^api +down .*\[silence s1\]/m);
    expect(stdout).toMatch(/^silence +s1: api until .*, by ana: deploy$/m);
    expect(slack.texts()).toEqual([]);
    expect(await cli(after, 'unsilence', 's1', '--json')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('"done": "unsilence"'),
    });
    await slack.until(() => slack.texts('[FIRING] api').length === 1);
    const { timeline } = await monitor.untilStatus(() => true);
    // What was seen around it comes when it does.
    expect(timeline?.filter(({ event }) => event !== 'evidence').map(({ event, by }) => [event, by])).toEqual([
      ['unsilenced', expect.any(String)],
      ['held', 'silence s1'],
      ['silenced', 'ana'],
    ]);
  });

  test('does not hold back the end of what was told', async () => {
    const scene = await setScene();
    await scene.api.kill();
    await scene.slack.until(() => scene.slack.texts('[FIRING] api').length === 1);
    await cli(scene, ...silenceApi);
    await scene.api.start();
    await scene.slack.until(() => scene.slack.texts('[RESOLVED] api').length === 1);
    expect(scene.slack.texts()).toHaveLength(2);
  });

  test.each([
    [['silence', 'apj', '--for', '1h', '--reason', 'x'], 64, 'apj is not watched; did you mean api?'],
    [['silence', 'api', '--for', 'soon', '--reason', 'x'], 64, '--for must be a duration'],
    [['silence', 'api', '--for', '31d', '--reason', 'x'], 64, 'must be at most 30 days'],
    [['silence', 'api', '--for', '1h'], 64, '--reason must say'],
    [['unsilence', 's9'], 64, 'no silence s9 is in force'],
    [['ack', 'api'], 64, 'nothing that goes on is named api'],
  ])('that cannot be is misuse: %j ends with %i', async (args, exitCode, message) => {
    const { code, stderr } = await cli(await setScene(), ...args);
    expect([code, stderr]).toEqual([exitCode, expect.stringContaining(message)]);
    expect(stderr.trim().split('\n')).toHaveLength(1);
  });
});

describe('planned work', { timeout }, () => {
  test('of a target holds back what begins in it', async () => {
    const start = new Date(Date.now() - 60_000).toISOString().slice(0, 16);
    const scene = await setScene({ maintenance: [{ name: 'move', targets: ['api'], start, for: '3h' }] });
    await scene.api.kill();
    const view = await scene.monitor.untilStatus(({ incidents }) => incidents?.[0]?.held_by === 'maintenance move');
    expect(view.maintenance).toMatchObject([{ name: 'move', targets: ['api'], is_under_way: true }]);
    expect(scene.slack.texts()).toEqual([]);
  });
});

describe('the link in a message', { timeout }, () => {
  test('only asks when it is opened, and takes the incident on when somebody says so', async () => {
    const scene = await setScene();
    const { slack, api, monitor } = scene;
    await api.kill();
    await slack.until(() => slack.texts('[FIRING] api').length === 1);
    const [, link = ''] = /<(http[^|>]*\/ack\?[^|>]*)\|Take it on>/.exec(JSON.stringify(slack.messages)) ?? [];
    const url = new URL(link.replaceAll('&amp;', '&'));
    const opened = await fetch(url);
    expect([opened.status, await opened.text()]).toEqual([200, expect.stringContaining('Take on api?')]);
    expect(slack.texts('[ACKNOWLEDGED]')).toEqual([]);
    const take = async (changes: Record<string, string>): Promise<[number, string]> => {
      const body = new URLSearchParams({ ...Object.fromEntries(url.searchParams), ...changes });
      const answer = await fetch(new URL('/ack', url), { method: 'POST', body });
      return [answer.status, await answer.text()];
    };
    expect(await take({ incident: 'other-1', by: 'Eve' })).toEqual([403, expect.stringContaining('This link is not whole')]);
    expect(await take({ by: 'Ana <b>' })).toEqual([200, expect.stringContaining('Ana &lt;b&gt; has taken api on')]);
    expect(await take({ by: 'Eve' })).toEqual([200, expect.stringContaining('Ana &lt;b&gt; has taken api on already')]);
    const signer = readSigner(join(scene.plan.dir, 'data'));
    const old = signLink(signer, url.searchParams.get('incident') ?? '', Date.now() - linkCountsMs);
    expect(await take({ ...old, by: 'Ben' })).toEqual([410, expect.stringContaining('This link has ended')]);
    await slack.until(() => slack.texts('[ACKNOWLEDGED] api').length === 1);
    await monitor.untilStatus((view) => view.incidents?.[0]?.acknowledged_by === 'Ana <b>');
    expect((await cli(scene, 'incidents')).stdout).toContain('taken on by Ana <b>');
    await api.start();
    await slack.until(() => slack.texts('[RESOLVED] api').length === 1);
    const over = await fetch(url);
    expect([over.status, await over.text()]).toEqual([410, expect.stringMatching(/api: it is over.*Ana &lt;b&gt; has taken it on/s)]);
    expect(await take({ by: 'Ben' })).toEqual([410, expect.stringContaining('api: it is over')]);
    expect(slack.texts('[ACKNOWLEDGED]')).toHaveLength(1);
  });

  test('that somebody made up, and a command that is not signed, change nothing', async () => {
    const { monitor } = await setScene();
    const made = await fetch(`${monitor.url}/ack?incident=api-1&signature=x`);
    expect(made.status).toBe(403);
    const posted = await fetch(`${monitor.url}/ack`, { method: 'POST', body: new URLSearchParams({ incident: 'api-1', signature: 'x' }) });
    expect(posted.status).toBe(403);
    const body = JSON.stringify({ do: 'silence', targets: null, for_ms: 60_000, by: 'eve', reason: 'x' });
    const command = await fetch(`${monitor.url}/api/control`, {
      method: 'POST',
      body,
      headers: { authorization: `Signed ${Date.now()}.x` },
    });
    expect(command.status).toBe(401);
    expect((await monitor.untilStatus(() => true)).silences).toEqual([]);
  });
});
