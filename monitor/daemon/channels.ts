import type { MonitorEnv } from '../config/monitor-env.ts';
import type { Channel } from '../alerts/channel.ts';
import { emailChannel } from '../alerts/channels/email.ts';
import { slackChannel } from '../alerts/channels/slack.ts';

/** The channels that are configured; none is a valid answer. */
export function configuredChannels(env: MonitorEnv): readonly Channel[] {
  const { SLACK_WEBHOOK_URL: webhookUrl, SMTP_URL: smtpUrl, ALERT_EMAIL_FROM: from, ALERT_EMAIL_TO: to } = env;
  return [
    ...(webhookUrl === undefined ? [] : [slackChannel(webhookUrl)]),
    ...(smtpUrl === undefined || from === undefined || to === undefined ? [] : [emailChannel({ smtpUrl, from, to })]),
  ];
}
