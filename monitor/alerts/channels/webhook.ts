import { createHmac } from 'node:crypto';
import * as z from 'zod';
import { secret } from '#lib/env.ts';
import { AlertDeliveryError, type Channel } from '../channel.ts';
import { describeAlert, type Sender } from '../message-text.ts';
import type { ChannelKind, EnvOf } from './channel-kind.ts';
import { judgeHttpFailure, type Answer } from './http-failure.ts';
import { webhookFetch } from './webhook-fetch.ts';
import { webhookForms } from './webhook-forms.ts';

const forms = Object.keys(webhookForms) as (keyof typeof webhookForms)[];

const env = {
  WEBHOOK_URL: secret(z.url({ protocol: /^https?$/, error: 'must be the URL of a webhook' }))
    .optional()
    .describe('Webhook alerts are posted to as JSON; unset: none.'),
  WEBHOOK_FORM: z
    .enum(forms, `must be one of ${forms.join(', ')}`)
    .default('standard')
    .describe('Form of what is posted: standard, whole and for programs, or as pagerduty, discord or teams want it.'),
  WEBHOOK_KEY: secret(z.string().min(16, 'must be at least 16 characters'))
    .optional()
    .describe('With standard, signs what is posted, as Standard Webhooks says; with pagerduty, the routing key, required.'),
};

/** Alerts to any program that takes a webhook, and to services by the form each wants. */
export const webhookKind: ChannelKind<typeof env> = {
  kind: 'webhook',
  env,
  problems,
  create: (given, sender) => (given.WEBHOOK_URL === undefined ? [] : [webhookChannel(given.WEBHOOK_URL, given, sender)]),
};

function problems({ WEBHOOK_URL: url, WEBHOOK_FORM: form, WEBHOOK_KEY: key }: EnvOf<typeof env>): string[] {
  if (url === undefined) return key === undefined ? [] : ['WEBHOOK_URL is not set; it is required with WEBHOOK_KEY'];
  if (form === 'pagerduty' && key === undefined) return ['WEBHOOK_KEY is not set; with WEBHOOK_FORM=pagerduty it is the routing key'];
  const isUsed = form === 'standard' || form === 'pagerduty';
  return key === undefined || isUsed ? [] : [`WEBHOOK_KEY is set, but ${form} takes none; remove it`];
}

const name = 'webhook';
const requestTimeoutMs = 10_000;

/** Discord takes five in two seconds, Teams four in one. @see https://discord.com/developers/docs/topics/rate-limits */
const minSpacingMs = { standard: 0, pagerduty: 0, discord: 1_000, teams: 1_000 } as const;

function webhookChannel(url: string, { WEBHOOK_FORM: form, WEBHOOK_KEY: key }: EnvOf<typeof env>, sender: Sender): Channel {
  return {
    name,
    minSpacingMs: minSpacingMs[form],
    send: async (alert, delivery, signal) => {
      const body = JSON.stringify(webhookForms[form]({ alert, text: await describeAlert(alert, delivery, sender), delivery }, key));
      const signed = form === 'standard' && key !== undefined ? signature({ id: alert.id, atMs: Date.now(), body }, key) : {};
      const headers = { 'content-type': 'application/json', 'user-agent': 'atalaya-monitor', 'webhook-id': alert.id, ...signed };
      let answer: Answer | undefined;
      let failure: unknown;
      try {
        const bounded = AbortSignal.any([signal, AbortSignal.timeout(requestTimeoutMs)]);
        const response = await webhookFetch(url, { method: 'POST', headers, body, signal: bounded });
        if (response.ok) return;
        answer = { status: response.status, retryAfter: response.headers.get('retry-after') };
      } catch (err) {
        failure = err;
      }
      throw new AlertDeliveryError(judgeHttpFailure(name, answer, { err: failure, now: Date.now() }), { cause: failure });
    },
  };
}

/**
 * The headers that tell, beside `webhook-id`, who posted and when: the key is base64 behind `whsec_`, or any text. Pure.
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function signature(
  { id, atMs, body }: { readonly id: string; readonly atMs: number; readonly body: string },
  key: string,
): Readonly<Record<string, string>> {
  const bytes = key.startsWith('whsec_') ? Buffer.from(key.slice('whsec_'.length), 'base64') : Buffer.from(key);
  const seconds = String(Math.floor(atMs / 1000));
  const hash = createHmac('sha256', bytes).update(`${id}.${seconds}.${body}`).digest('base64');
  return { 'webhook-timestamp': seconds, 'webhook-signature': `v1,${hash}` };
}
