import { describe, expect, onTestFinished, test } from 'vitest';
import { startMailRecorder, type MailBehaviour, type MailRecorder } from '#test/support/mail-recorder.ts';
import { startSlackRecorder } from '#test/support/slack-recorder.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';
import { AlertDeliveryError, type Channel, type DeliveryFailure } from '#monitor/alerts/channel.ts';
import { channelProblems, createChannels } from '#monitor/alerts/channels/kinds.ts';
import { alertId, type Alert } from '#monitor/model/alert.ts';
import { planFor, startMonitor, statusOf, type RunningMonitor } from '../run-monitor.ts';
import { startWatchedApi, type WatchedApi } from '../watched-api.ts';

type Scene = { readonly mail: MailRecorder; readonly api: WatchedApi; readonly monitor: RunningMonitor };

async function watchOneApi(env: Readonly<Record<string, string>> = {}): Promise<Scene> {
  const [mail, api, dir] = await Promise.all([startMailRecorder(), startWatchedApi(), temporaryFolder()]);
  onTestFinished(async () => void (await Promise.all([mail.close(), api.kill()])));
  const monitor = await startMonitor(planFor(dir, { API_URL: api.url, SMTP_URL: mail.url, ...env }));
  onTestFinished(() => monitor.kill());
  await monitor.untilStatus((view) => statusOf(view, 'api') === 'up');
  return { mail, api, monitor };
}

describe('a mail server', { timeout: 60_000 }, () => {
  test.each<[string, MailBehaviour]>([
    ['greylists its recipients', 'greylist'],
    ['refuses for now at MAIL', { at: 'MAIL', code: 451, text: '4.7.1 try again later' }],
    ['refuses for now at RCPT', { at: 'RCPT', code: 450, text: '4.2.0 busy' }],
    ['refuses for now at DATA', { at: 'DATA', code: 451, text: '4.3.0 try again later' }],
    ['hides its greylisting behind a 5xx', { at: 'RCPT', code: 550, text: '4.7.1 greylisted' }],
  ])('that %s gets the alert again, and delivers it', async (_, behaviour) => {
    const { mail, api, monitor } = await watchOneApi();
    mail.behave(behaviour);
    await api.kill();
    await mail.until(() => mail.refusalCount() + mail.attemptCount() > 0);
    if (behaviour !== 'greylist') mail.behave('accept');
    await mail.until(() => mail.subjects('[FIRING] api').length === 1);
    await api.start();
    await mail.until(() => mail.subjects('[RESOLVED] api').length === 1);
    const { channels } = await monitor.untilStatus((view) => view.channels?.[0]?.pending === 0);
    expect(channels).toMatchObject([{ name: 'email', failed: 0, broken_since: null, last_error: null }]);
  });

  test('that refuses one of two recipients delivers to the other, once, and Slack is told of the refused one', async () => {
    const slack = await startSlackRecorder();
    onTestFinished(slack.close);
    const { mail, api, monitor } = await watchOneApi({
      ALERT_EMAIL_TO: 'ops@shop.example, gone@shop.example',
      SLACK_WEBHOOK_URL: slack.url,
    });
    mail.behave({ at: 'RCPT', code: 550, text: '5.1.1 no such user', recipient: 'gone@shop.example' });
    await api.kill();
    await slack.until(() => slack.texts('[FIRING] monitor.email:gone@shop.example').length === 1);
    await api.start();
    await mail.until(() => mail.subjects('[RESOLVED] api').length === 1);
    expect(mail.subjects('[FIRING] api')).toHaveLength(1);
    expect(mail.mails.map(({ recipients }) => recipients)).toEqual(mail.mails.map(() => ['ops@shop.example']));
    expect(mail.mails[0]?.headers['to']).toBe('ops@shop.example, gone@shop.example');
    const { channels, monitor: self } = await monitor.untilStatus(() => true);
    expect(channels?.find(({ name }) => name === 'email:gone@shop.example')).toMatchObject({ broken_since: expect.any(String) });
    expect(channels?.find(({ name }) => name === 'email:ops@shop.example')).toMatchObject({ pending: 0, broken_since: null });
    expect(self.status).toBe('warning');
  });
});

const alert: Alert = {
  id: alertId('a', 'firing'),
  event: 'firing',
  incidentId: 'a',
  probe: 'api',
  detail: 'refused',
  startedAt: new Date(0).toISOString(),
  decidedAt: new Date(0).toISOString(),
  dependents: [],
};

const settings = (smtpUrl: string, allowsCleartext = false) => ({
  SLACK_WEBHOOK_URL: undefined,
  WEBHOOK_FORM: 'standard' as const,
  SMTP_URL: smtpUrl,
  SMTP_ALLOW_CLEARTEXT: allowsCleartext,
  ALERT_EMAIL_FROM: 'm@shop.example',
  ALERT_EMAIL_TO: ['ops@shop.example'],
});
const withPassword = (mail: MailRecorder, query = ''): string =>
  `${mail.url.replace('smtp://', 'smtp://user:hunter2@')}?tls.rejectUnauthorized=false${query}`;
const channelOf = (smtpUrl: string, allowsCleartext = false): Channel => {
  const sender = { deployment: undefined, language: 'en', host: 'tower', statusUrl: 'http://127.0.0.1:8080' } as const;
  return createChannels(settings(smtpUrl, allowsCleartext), sender)[0] as Channel;
};
const send = async ({ send: sendAlert }: Channel): Promise<DeliveryFailure | undefined> => {
  try {
    await sendAlert(alert, { mayRepeat: false, mayComeAgain: false, delayMs: 0, tellsToo: [] }, AbortSignal.timeout(10_000));
    return undefined;
  } catch (err) {
    return (err as AlertDeliveryError).failure;
  }
};
const startServer = async (offersTls: boolean): Promise<MailRecorder> => {
  const mail = await startMailRecorder({ offersLogin: true, offersTls });
  onTestFinished(mail.close);
  return mail;
};

describe('the password of a mail server', () => {
  test('goes to a server that offers TLS, over TLS', async () => {
    const mail = await startServer(true);
    expect(await send(channelOf(withPassword(mail)))).toBeUndefined();
    expect(mail.passwords).toEqual([{ password: 'hunter2', isSecure: true }]);
  });

  test('never goes to one that does not; the one line says what to do, and asks people', async () => {
    const mail = await startServer(false);
    const failure = await send(channelOf(withPassword(mail)));
    expect(failure).toMatchObject({ scope: 'channel', isLasting: true, detail: expect.stringContaining('the password is not sent') });
    expect(JSON.stringify(failure)).not.toContain('hunter2');
    expect([mail.passwords, mail.mails]).toEqual([[], []]);
  });

  test('goes in clear to this very machine where that is allowed', async () => {
    const mail = await startServer(false);
    expect(await send(channelOf(withPassword(mail), true))).toBeUndefined();
    expect(mail.passwords).toEqual([{ password: 'hunter2', isSecure: false }]);
  });

  test.each([
    ['smtp://user:hunter2@mail.example?ignoreTLS=true', false, 'SMTP_URL=(hidden): ignoreTLS would send the password in clear'],
    [
      'smtp://user:hunter2@mail.example?opportunisticTLS=true',
      false,
      'SMTP_URL=(hidden): opportunisticTLS would send the password in clear',
    ],
    ['smtp://user:hunter2@mail.example', true, 'SMTP_ALLOW_CLEARTEXT=true: mail.example is not this machine'],
  ])('is refused by check-config in %s', (smtpUrl, allowsCleartext, problem) => {
    expect(channelProblems(settings(smtpUrl, allowsCleartext))).toEqual([expect.stringContaining(problem)]);
  });

  test.each([
    ['smtp://user:hunter2@mail.example', false],
    ['smtps://user:hunter2@mail.example', false],
    ['smtp://mail.example?ignoreTLS=true', false],
    ['smtp://user:hunter2@127.0.0.1', true],
    ['smtp://user:hunter2@[::1]', true],
  ])('is accepted by check-config in %s', (smtpUrl, allowsCleartext) => {
    expect(channelProblems(settings(smtpUrl, allowsCleartext))).toEqual([]);
  });
});
