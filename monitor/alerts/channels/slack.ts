import type { IncomingWebhookSendArguments } from '@slack/webhook';
import * as z from 'zod';
import { secret } from '#lib/env.ts';
import { AlertDeliveryError, type Channel, type DeliveryFailure } from '../channel.ts';
import { describeAlert, leadOf, linksOf, nextOf, type MessageText, type Named, type Sender } from '../message-text.ts';
import type { ChannelKind } from './channel-kind.ts';
import { judgeHttpFailure, type Answer } from './http-failure.ts';
import { webhookFetch } from './webhook-fetch.ts';

const env = {
  SLACK_WEBHOOK_URL: secret(z.url({ protocol: /^https?$/, error: 'must be the URL of a Slack incoming webhook' }))
    .optional()
    .describe('Incoming webhook alerts go to; unset: no alerts on Slack.'),
};

/** Alerts to Slack through an incoming webhook, whose URL is a secret. */
export const slackKind: ChannelKind<typeof env> = {
  kind: 'slack',
  env,
  problems: () => [],
  create: ({ SLACK_WEBHOOK_URL: url }, sender) => (url === undefined ? [] : [slackChannel(url, sender)]),
};

const name = 'slack';
const requestTimeoutMs = 5_000;

/** Slack asks for at most one message a second. @see https://docs.slack.dev/apis/web-api/rate-limits */
const minSpacingMs = 1_000;

function slackChannel(webhookUrl: string, sender: Sender): Channel {
  return {
    name,
    minSpacingMs,
    send: async (alert, delivery, signal) => {
      // Loaded at the first alert: a monitor at rest keeps its memory.
      const { IncomingWebhook } = await import('@slack/webhook');
      let answer: Answer | undefined;
      const webhook = new IncomingWebhook(webhookUrl, {
        timeout: requestTimeoutMs,
        // The client's own errors carry no headers, and it knows no signal of ours.
        fetch: async (url, init) => {
          const response = await webhookFetch(url, { ...init, signal: AbortSignal.any([signal, ...(init?.signal ? [init.signal] : [])]) });
          answer = { status: response.status, retryAfter: response.headers.get('retry-after') };
          return response;
        },
      });
      const accepted = await webhook.send(slackMessage(await describeAlert(alert, delivery, sender), alert.event)).catch((err: unknown) => {
        throw new AlertDeliveryError(judgeAnswer(answer, err, Date.now()), { cause: err });
      });
      // A captive portal answers 200 as well.
      if (accepted.text.trim() === 'ok') return;
      const detail = 'HTTP 200, but the answer is not that of Slack';
      throw new AlertDeliveryError({ channel: name, detail, scope: 'channel', isLasting: false, mayHaveArrived: true });
    },
  };
}

/**
 * What an answer other than `ok` means. Pure.
 * @see https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors
 */
export function judgeAnswer(answer: Answer | undefined, err: unknown, now: number): DeliveryFailure {
  const body = (err as { body?: unknown }).body;
  return judgeHttpFailure(name, answer, { err, said: typeof body === 'string' && /^\w{1,40}$/.test(body) ? body : undefined, now });
}

const marks: Readonly<Record<string, string>> = {
  firing: ':red_circle:',
  reminder: ':red_circle:',
  acknowledged: ':eyes:',
  unknown: ':white_circle:',
  flapping: ':large_orange_circle:',
  notice: ':information_source:',
  test: ':information_source:',
};

/** What Slack is sent: `text` is the notification, the blocks are what the channel shows. Pure. */
export function slackMessage(message: MessageText, event: string): IncomingWebhookSendArguments {
  const { title, cause, detail } = message;
  const shown = ([label, value]: Named): string => `*${label}:* ${escapeMrkdwn(value)}`;
  const facts = message.facts.map(shown);
  const next = nextOf(message).map(shown);
  const why = cause === undefined ? [] : [`*${escapeMrkdwn(cause)}*`];
  const [first, ...links] = linksOf(message).map(([label, url]) => `<${escapeMrkdwn(url)}|${label}>`);
  const mark = marks[event] ?? ':large_green_circle:';
  return {
    text: escapeMrkdwn(`${title}: ${leadOf(message)}`),
    blocks: [
      {
        type: 'section',
        text: { type: 'mrkdwn', text: shorten([`${mark} *${escapeMrkdwn(title)}*`, ...why, escapeMrkdwn(detail), ...next].join('\n')) },
      },
      {
        type: 'context',
        elements: [{ type: 'mrkdwn', text: shorten([first, ...links, ...facts].join('  ·  ')) }],
      },
    ],
  };
}

/** A block's text is refused above 3,000 characters. @see https://docs.slack.dev/reference/block-kit/blocks/section-block */
const shorten = (text: string): string => (text.length > 2_900 ? `${text.slice(0, 2_900)}…` : text);

/** @see https://docs.slack.dev/messaging/formatting-message-text#escaping */
const escapeMrkdwn = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
