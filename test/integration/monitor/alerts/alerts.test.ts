import { describe, expect, onTestFinished, test } from 'vitest';
import { startMailRecorder, type MailRecorder } from '#test/support/mail-recorder.ts';
import { startSlackRecorder, type SlackRecorder } from '#test/support/slack-recorder.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';
import { planFor, startMonitor, statusOf, type MonitorPlan, type RunningMonitor } from '../run-monitor.ts';
import { startWatchedApi, type WatchedApi } from '../watched-api.ts';

type Scene = { readonly slack: SlackRecorder; readonly mail: MailRecorder; readonly api: WatchedApi; readonly plan: MonitorPlan };

async function setScene(): Promise<Scene> {
  const [slack, mail, api, dir] = await Promise.all([startSlackRecorder(), startMailRecorder(), startWatchedApi(), temporaryFolder()]);
  onTestFinished(async () => void (await Promise.all([slack.close(), mail.close(), api.kill()])));
  return { slack, mail, api, plan: planFor(dir, { API_URL: api.url, SLACK_WEBHOOK_URL: slack.url, SMTP_URL: mail.url }) };
}

async function start(plan: MonitorPlan): Promise<RunningMonitor> {
  const monitor = await startMonitor(plan);
  onTestFinished(() => monitor.kill());
  return monitor;
}

const isUp = (view: Parameters<typeof statusOf>[0]): boolean => statusOf(view, 'api') === 'up';

async function untilTold({ slack, mail }: Scene, what: string): Promise<void> {
  await Promise.all([slack.until(() => slack.texts(what).length > 0), mail.until(() => mail.subjects(what).length > 0)]);
}

/** Lets the monitor go on for a while after the last message, so that a second one would show. */
async function letItRun(monitor: RunningMonitor): Promise<void> {
  const { started_at: startedAt } = await monitor.untilStatus(() => true);
  const from = Date.now();
  await monitor.untilStatus((view) => view.started_at === startedAt && Date.parse(view.generated_at) - from > 700);
}

describe('an outage of the API', { timeout: 90_000 }, () => {
  test('is told once on Slack and by mail, and so is its end', async () => {
    const scene = await setScene();
    const monitor = await start(scene.plan);
    await monitor.untilStatus(isUp);
    await scene.api.kill();
    await untilTold(scene, '[FIRING] api');
    await scene.api.start();
    await untilTold(scene, '[RESOLVED] api');
    await letItRun(monitor);
    expect(scene.slack.texts().map((text) => text.split(':')[0])).toEqual(['[FIRING] api', '[RESOLVED] api']);
    expect(scene.mail.subjects()).toEqual(['[FIRING] api', '[RESOLVED] api']);
    const [firing, resolved] = scene.mail.mails;
    expect(firing?.messageId).toMatch(/^<api-\d+T\d+Z\.firing\.1@shop\.example>$/);
    expect(resolved?.headers['in-reply-to']).toBe(firing?.messageId);
    expect(firing?.recipients).toEqual(['ops@shop.example']);
    expect(firing?.text).toContain('ECONNREFUSED');
    const view = await monitor.untilStatus(isUp);
    expect(view.incidents).toMatchObject([{ target: 'api', explained_by: null }]);
    expect(view.incidents?.[0]?.ended_at).not.toBeNull();
    expect(await monitor.stop()).toBe(0);
  });

  test('is told once when the monitor is killed and started again during it', async () => {
    const scene = await setScene();
    const first = await start(scene.plan);
    await first.untilStatus(isUp);
    await scene.api.kill();
    await untilTold(scene, '[FIRING] api');
    // Until the message is marked, a kill may repeat it.
    await first.untilStatus(({ channels }) => channels?.every(({ pending }) => pending === 0) ?? false);
    await first.kill();
    const second = await start(scene.plan);
    await second.untilStatus((view) => statusOf(view, 'api') === 'down');
    await letItRun(second);
    await scene.api.start();
    await untilTold(scene, '[RESOLVED] api');
    await letItRun(second);
    expect(scene.slack.texts('[FIRING] api')).toHaveLength(1);
    expect(scene.mail.subjects()).toEqual(['[FIRING] api', '[RESOLVED] api']);
    expect(scene.slack.texts('[RESOLVED] api')).toHaveLength(1);
  });

  test('that ended while the monitor was dead is still resolved', async () => {
    const scene = await setScene();
    const first = await start(scene.plan);
    await first.untilStatus(isUp);
    await scene.api.kill();
    await untilTold(scene, '[FIRING] api');
    await first.kill();
    await scene.api.start();
    await start(scene.plan);
    await untilTold(scene, '[RESOLVED] api');
    expect(scene.slack.texts('[RESOLVED] api')).toHaveLength(1);
  });

  test('is told although the API answers, when it says that it is critical', async () => {
    const [slack, dir] = await Promise.all([startSlackRecorder(), temporaryFolder()]);
    let says = 'warning';
    const api = await startWatchedApi(() => says);
    onTestFinished(async () => void (await Promise.all([slack.close(), api.kill()])));
    const probe = {
      name: 'api',
      kind: 'http',
      url: '/health_check',
      conditions: ['[STATUS] == 200', '[BODY].status != critical'],
      degradedUnless: ['[BODY].status == healthy'],
    };
    const monitor = await start(planFor(dir, { API_URL: api.url, SLACK_WEBHOOK_URL: slack.url }, { probes: [probe] }));
    await monitor.untilStatus((view) => statusOf(view, 'api') === 'degraded');
    says = 'critical';
    await slack.until(() => slack.texts('[FIRING] api').length === 1);
    expect(slack.texts()[0]).toContain('HTTP 503');
    says = 'healthy';
    await slack.until(() => slack.texts('[RESOLVED] api').length === 1);
  });
});

describe('a channel that is in trouble', { timeout: 90_000 }, () => {
  test('and hangs delays neither the checks nor the other channel', async () => {
    const scene = await setScene();
    const monitor = await start(scene.plan);
    await monitor.untilStatus(isUp);
    scene.slack.behave('hang');
    await scene.api.kill();
    await scene.mail.until(() => scene.mail.subjects('[FIRING] api').length === 1);
    await scene.slack.until(() => scene.slack.requestCount() === 1);
    await scene.api.start();
    await scene.mail.until(() => scene.mail.subjects('[RESOLVED] api').length === 1);
    const view = await monitor.untilStatus(isUp);
    expect(view.channels?.find(({ name }) => name === 'slack')?.pending).toBe(2);
    scene.slack.behave('accept');
    await scene.slack.until(() => scene.slack.messages.length === 2);
    expect(scene.slack.texts().map((text) => text.split(':')[0])).toEqual(['[FIRING] api', '[RESOLVED] api']);
  });

  test('and says when to come again is not asked before', async () => {
    const scene = await setScene();
    const monitor = await start(scene.plan);
    await monitor.untilStatus(isUp);
    scene.slack.behave({ status: 429, headers: { 'retry-after': '2' } });
    await scene.api.kill();
    await scene.slack.until(() => scene.slack.requestCount() === 1);
    const refusedAt = Date.now();
    scene.slack.behave('accept');
    await scene.slack.until(() => scene.slack.messages.length === 1);
    expect((scene.slack.messages[0]?.at ?? 0) - refusedAt).toBeGreaterThanOrEqual(1_900);
    expect(scene.slack.requestCount()).toBe(2);
  });

  test.each([302, 403, 404, 410])(
    'for good (HTTP %i) is told by the other channel and shown, tried again rarely, and at once by the next process',
    async (status) => {
      const scene = await setScene();
      const monitor = await start(scene.plan);
      await monitor.untilStatus(isUp);
      scene.slack.behave({ status, body: 'no_service' });
      await scene.api.kill();
      await scene.mail.until(() => scene.mail.subjects('[FIRING] monitor.slack').length === 1);
      const view = await monitor.untilStatus(({ channels }) => channels?.some(({ broken_since: since }) => since !== null) ?? false);
      expect(view.channels?.[0]).toMatchObject({ name: 'slack', pending: 1, last_error: `HTTP ${status} (no_service)` });
      expect(view.monitor).toMatchObject({ status: 'warning', reasons: [expect.stringContaining('slack is broken')] });
      await letItRun(monitor);
      expect(scene.slack.requestCount()).toBe(1);
      expect(JSON.stringify(view) + monitor.output()).not.toContain('secret-of-the-webhook');
      await monitor.stop();
      scene.slack.behave('accept');
      await start(scene.plan);
      await scene.slack.until(() => scene.slack.texts('[FIRING] api').length === 1);
      await scene.mail.until(() => scene.mail.subjects('[RESOLVED] monitor.slack').length === 1);
      expect(scene.mail.subjects('[FIRING] api')).toHaveLength(1);
    },
  );

  test('because a captive portal answers 200 to everything has delivered nothing', async () => {
    const scene = await setScene();
    const monitor = await start(scene.plan);
    await monitor.untilStatus(isUp);
    scene.slack.behave({ status: 200, body: '<html>Log in to the hotel</html>' });
    await scene.api.kill();
    await scene.slack.until(() => scene.slack.requestCount() >= 2);
    expect(scene.slack.messages).toEqual([]);
    scene.slack.behave('accept');
    await scene.slack.until(() => scene.slack.texts('[FIRING] api').length === 1);
  });

  test('does not keep the monitor from stopping, and the message goes out at the next start', async () => {
    const scene = await setScene();
    const first = await start(scene.plan);
    await first.untilStatus(isUp);
    scene.slack.behave('hang');
    await scene.api.kill();
    await scene.slack.until(() => scene.slack.requestCount() === 1);
    expect(await first.stop()).toBe(0);
    expect(scene.slack.messages).toEqual([]);
    scene.slack.behave('accept');
    await start(scene.plan);
    await scene.slack.until(() => scene.slack.texts('[FIRING] api').length === 1);
  });
});
