import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { StatusView } from '#monitor/status-page/status-view.ts';
import { startMailRecorder, type MailBehaviour, type MailRecorder } from '#test/support/mail-recorder.ts';
import { startSlackRecorder, type SlackBehaviour, type SlackRecorder } from '#test/support/slack-recorder.ts';
import type { FailPoint } from './daemon-with-fail-point.ts';
import { planFor, startMonitor, statusOf, type MonitorPlan } from '../run-monitor.ts';
import { startWatchedApi, type WatchedApi } from '../watched-api.ts';

type Scene = { readonly slack: SlackRecorder; readonly mail: MailRecorder; readonly api: WatchedApi; readonly plan: MonitorPlan };

/** Registers what a test undoes. These tests run side by side, so each must use the one of its own context. */
type OnFinished = (cleanUp: () => Promise<void>) => void;

async function setScene(onFinished: OnFinished): Promise<Scene> {
  const dir = await mkdtemp(join(tmpdir(), 'atalaya-test-'));
  onFinished(() => rm(dir, { recursive: true, force: true }));
  const [slack, mail, api] = await Promise.all([startSlackRecorder(), startMailRecorder(), startWatchedApi()]);
  onFinished(async () => void (await Promise.all([slack.close(), mail.close(), api.kill()])));
  return { slack, mail, api, plan: planFor(dir, { API_URL: api.url, SLACK_WEBHOOK_URL: slack.url, SMTP_URL: mail.url }) };
}

type Outage = { readonly slack: SlackBehaviour; readonly mail: MailBehaviour };

const outages: Readonly<Record<string, Outage>> = {
  'both channels well': { slack: 'accept', mail: 'accept' },
  'Slack answering 500': { slack: { status: 500 }, mail: 'accept' },
  'Slack cutting connections and the mail server refusing for now': { slack: 'reset', mail: 451 },
};

type Crash = { readonly point: FailPoint; readonly hit: number };

const crashes: readonly (Crash & { readonly sentence: string })[] = [
  { point: 'alert-committed', hit: 1, sentence: 'after the commit of FIRING' },
  { point: 'alert-committed', hit: 2, sentence: 'after the commit of RESOLVED' },
  { point: 'send-begun', hit: 1, sentence: 'before the first send' },
  { point: 'send-begun', hit: 3, sentence: 'before the third send' },
  { point: 'send-accepted', hit: 1, sentence: 'between the first acceptance and its mark' },
  { point: 'send-accepted', hit: 3, sentence: 'between the third acceptance and its mark' },
];

/**
 * One outage of the API from beginning to end, with the channels in trouble from its start until the monitor has been
 * killed at the fail point, or, where the trouble keeps it from getting there, for a while. Killed monitors are started again.
 */
async function playOutage(
  scene: Scene,
  { crash, outage }: { readonly crash: Crash; readonly outage: Outage },
  onFinished: OnFinished,
): Promise<void> {
  const first = await startMonitor(scene.plan, crash);
  await first.untilStatus((view) => statusOf(view, 'api') === 'up');
  scene.slack.behave(outage.slack);
  scene.mail.behave(outage.mail);
  const restarted = first.ended.then(() => startMonitor(scene.plan));
  onFinished(async () => {
    await first.kill();
    await (await restarted).kill();
  });
  await scene.api.kill();
  await soon(Promise.race([first.ended, first.untilStatus((view) => statusOf(view, 'api') === 'down')]));
  const isTroubled = outage.slack !== 'accept';
  // Else the crash might by chance also cut off the send of FIRING.
  if (!isTroubled) await soon(Promise.race([first.ended, first.untilStatus(isDelivered)]));
  if (isTroubled) await scene.slack.until(() => scene.slack.requestCount() > 0 || first.child.signalCode !== null).catch(() => {});
  await scene.api.start();
  await soon(Promise.race([first.ended, first.untilStatus((view) => statusOf(view, 'api') === 'up')]));
  scene.slack.behave('accept');
  scene.mail.behave('accept');
  expect(await first.ended).toBe('SIGKILL');
  const second = await restarted;
  await second.untilStatus((view) => statusOf(view, 'api') === 'up' && view.incidents?.[0]?.ended_at !== null);
  await second.untilStatus(isDelivered);
  expect(await second.stop()).toBe(0);
}

/** True once every message was accepted by every channel. */
const isDelivered = ({ channels }: StatusView): boolean => channels?.every(({ pending, failed }) => pending === 0 && failed === 0) ?? false;

/** A status that a killed monitor will never show is no fault here. */
async function soon(work: Promise<unknown>): Promise<void> {
  await Promise.allSettled([work]);
}

/**
 * How many messages may come twice with both channels well: those whose send had been accepted, but not marked, when the
 * monitor was killed. At the fail points of one channel's send the other may be in the middle of its own.
 */
const repeatsWhenWell: Readonly<Record<FailPoint, readonly [least: number, most: number]>> = {
  'alert-committed': [0, 0],
  'send-begun': [0, 1],
  'send-accepted': [1, 2],
};

const kinds = (texts: readonly string[]): string[] => texts.map((text) => /^\[(\w+)\] api/.exec(text)?.[1] ?? text);

describe('a monitor killed', () => {
  for (const { sentence, ...crash } of crashes) {
    for (const [trouble, outage] of Object.entries(outages)) {
      test.concurrent(
        `${sentence}, with ${trouble}, still tells FIRING and RESOLVED, in order`,
        { timeout: 90_000 },
        async ({ onTestFinished }) => {
          const scene = await setScene(onTestFinished);
          await playOutage(scene, { crash, outage }, onTestFinished);
          const slack = kinds(scene.slack.texts());
          const mail = kinds(scene.mail.subjects());
          expect([...new Set(slack)]).toEqual(['FIRING', 'RESOLVED']);
          expect([...new Set(mail)]).toEqual(['FIRING', 'RESOLVED']);
          // One Message-ID for each, however often it came: a mail client shows it once.
          expect(new Set(scene.mail.mails.map(({ messageId }) => messageId)).size).toBe(2);
          const repeats = slack.length + mail.length - 4;
          const [least, most] = outage.slack === 'accept' ? repeatsWhenWell[crash.point] : [0, 2];
          expect(repeats, `${slack.join()} / ${mail.join()}`).toBeGreaterThanOrEqual(least);
          expect(repeats, `${slack.join()} / ${mail.join()}`).toBeLessThanOrEqual(most);
        },
      );
    }
  }

  test.concurrent(
    'in the middle of a send that Slack has taken in repeats it and says that it may be a repeat',
    { timeout: 90_000 },
    async ({ onTestFinished }) => {
      const scene = await setScene(onTestFinished);
      const first = await startMonitor(scene.plan);
      onTestFinished(() => first.kill());
      await first.untilStatus((view) => statusOf(view, 'api') === 'up');
      scene.slack.behave('keep-silent');
      await scene.api.kill();
      await scene.slack.until(() => scene.slack.messages.length === 1);
      await first.kill();
      scene.slack.behave('accept');
      const second = await startMonitor(scene.plan);
      onTestFinished(() => second.kill());
      await scene.slack.until(() => scene.slack.messages.length === 2);
      // Why it is so was seen by the monitor that is gone.
      const texts = scene.slack.texts().map((text) => text.replace('api does not run: nothing listens at its port. ', ''));
      expect(texts[1]).toBe(texts[0]);
      expect(JSON.stringify(scene.slack.messages[0]?.body)).not.toContain('may be a repeat');
      expect(JSON.stringify(scene.slack.messages[1]?.body)).toContain('may be a repeat');
    },
  );
});
