import type { IncomingWebhookSendArguments } from '@slack/webhook';
import { messageOf } from '#lib/errors.ts';
import type { Alert } from '../../model/alert.ts';
import { alertFacts, alertTitle } from '../message-text.ts';
import { AlertDeliveryError, type Channel, type Delivery } from '../channel.ts';
import { webhookFetch } from './webhook-fetch.ts';

const requestTimeoutMs = 5_000;

/** Slack asks for at most one message a second. @see https://docs.slack.dev/apis/web-api/rate-limits */
const minSpacingMs = 1_000;

/** Alerts to Slack through an incoming webhook, whose URL is a secret. */
export function slackChannel(webhookUrl: string): Channel {
  return {
    name: 'slack',
    minSpacingMs,
    send: async (alert, delivery, signal) => {
      // Loaded at the first alert: a monitor at rest keeps its memory.
      const { IncomingWebhook } = await import('@slack/webhook');
      let answer: { readonly status: number; readonly retryAfter: string | null } | undefined;
      const webhook = new IncomingWebhook(webhookUrl, {
        timeout: requestTimeoutMs,
        // The client's own errors carry no headers, and it knows no signal of ours.
        fetch: async (url, init) => {
          const response = await webhookFetch(url, { ...init, signal: AbortSignal.any([signal, ...(init?.signal ? [init.signal] : [])]) });
          answer = { status: response.status, retryAfter: response.headers.get('retry-after') };
          return response;
        },
      });
      try {
        await webhook.send(slackMessage(alert, delivery));
      } catch (err) {
        throw describeFailure(answer, err);
      }
    },
  };
}

function describeFailure(
  answer: { readonly status: number; readonly retryAfter: string | null } | undefined,
  err: unknown,
): AlertDeliveryError {
  // An answer of 2xx whose body broke off: it may well have been accepted, which is not known.
  if (!answer || (answer.status >= 200 && answer.status < 300)) {
    return new AlertDeliveryError(
      { channel: 'slack', detail: rootMessage(err), scope: 'channel', isLasting: false, mayHaveArrived: true },
      { cause: err },
    );
  }
  const body = (err as { body?: unknown }).body;
  const said = typeof body === 'string' && /^\w{1,40}$/.test(body) ? ` (${body})` : '';
  return new AlertDeliveryError(
    {
      channel: 'slack',
      detail: `HTTP ${answer.status}${said}`,
      scope: 'channel',
      isLasting: !isPassingStatus(answer.status),
      retryAfterMs: parseRetryAfter(answer.retryAfter, Date.now()),
    },
    { cause: err },
  );
}

/** The client says that a request failed, and keeps the reason below. */
function rootMessage(err: unknown): string {
  let current = err;
  while (current instanceof Error && current.cause !== undefined) current = current.cause;
  return messageOf(current);
}

/** What Slack is sent: `text` is the notification, the blocks are what the channel shows. Pure. */
export function slackMessage(alert: Alert, delivery: Delivery): IncomingWebhookSendArguments {
  const title = `${alertTitle(alert)}: ${alert.detail}`;
  const facts = alertFacts(alert, delivery).map(([label, value]) => `*${label}:* ${escapeMrkdwn(value)}`);
  const mark = alert.event === 'firing' ? ':red_circle:' : ':large_green_circle:';
  return {
    text: escapeMrkdwn(title),
    blocks: [
      {
        type: 'section',
        text: { type: 'mrkdwn', text: shorten(`${mark} *${escapeMrkdwn(alertTitle(alert))}*\n${escapeMrkdwn(alert.detail)}`) },
      },
      { type: 'context', elements: [{ type: 'mrkdwn', text: shorten(facts.join('  ·  ')) }] },
    ],
  };
}

/** A block's text is refused above 3,000 characters. @see https://docs.slack.dev/reference/block-kit/blocks/section-block */
const shorten = (text: string): string => (text.length > 2_900 ? `${text.slice(0, 2_900)}…` : text);

/** @see https://docs.slack.dev/messaging/formatting-message-text#escaping */
const escapeMrkdwn = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/**
 * Statuses that may pass: the rest tells of a request or an address that stays wrong.
 * @see https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 */
export function isPassingStatus(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}

/** Retry-After as ms from now: whole seconds or an HTTP date. Undefined when absent or unreadable. Pure. */
export function parseRetryAfter(value: string | null, now: number): number | undefined {
  if (value === null || value.trim() === '') return undefined;
  if (/^\d+$/.test(value.trim())) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
