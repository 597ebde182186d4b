import type { SendMailOptions } from 'nodemailer';
import { messageOf } from '#lib/errors.ts';
import { redactText } from '#lib/redact.ts';
import { alertId, type Alert } from '../../model/alert.ts';
import { alertFacts, alertTitle } from '../message-text.ts';
import { AlertDeliveryError, type Channel, type Delivery } from '../channel.ts';

export type EmailSettings = {
  /** `smtp://` or `smtps://` with user and password: a secret. */
  readonly smtpUrl: string;
  readonly from: string;
  readonly to: readonly string[];
};

/** Bounds of the parts of one delivery, in ms; the caller's signal bounds the whole. */
const timeouts = { connectionTimeout: 5_000, greetingTimeout: 5_000, socketTimeout: 8_000, dnsTimeout: 5_000 };

/** Alerts by mail. Every attempt at one alert carries the same Message-ID, and the messages of one incident form a thread. */
export function emailChannel(settings: EmailSettings): Channel {
  return {
    name: 'email',
    minSpacingMs: 0,
    send: async (alert, delivery, signal) => {
      // Loaded at the first alert: a monitor at rest keeps its memory.
      const { createTransport } = await import('nodemailer');
      const transport = createTransport(withTimeouts(settings.smtpUrl));
      try {
        await untilAborted(transport.sendMail(emailMessage(alert, delivery, settings)), signal);
      } catch (err) {
        throw describeFailure(err);
      } finally {
        transport.close();
      }
    },
  };
}

/** What is mailed. Pure. */
export function emailMessage(alert: Alert, delivery: Delivery, settings: Pick<EmailSettings, 'from' | 'to'>): SendMailOptions {
  const domain = /@([\w.-]+)/.exec(settings.from)?.[1] ?? 'atalaya.invalid';
  const firstId = `<${alertId(alert.incidentId, 'firing')}@${domain}>`;
  const facts = alertFacts(alert, delivery).map(([label, value]) => `${`${label}:`.padEnd(15)}${value}`);
  return {
    from: settings.from,
    to: [...settings.to],
    subject: alertTitle(alert),
    text: [alertTitle(alert), '', alert.detail, '', ...facts, ''].join('\n'),
    messageId: `<${alert.id}@${domain}>`,
    ...(alert.event === 'resolved' ? { inReplyTo: firstId, references: firstId } : {}),
    // RFC 3834: keeps out-of-office robots from answering.
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Atalaya-Incident': alert.incidentId },
  };
}

/** nodemailer reads options from a URL's query and then from nowhere else. */
function withTimeouts(smtpUrl: string): string {
  const url = new URL(smtpUrl);
  for (const [name, ms] of Object.entries(timeouts)) if (!url.searchParams.has(name)) url.searchParams.set(name, String(ms));
  return url.href;
}

/** A 5xx answer stays, a 4xx passes; without an answer the way there is broken, which passes too. RFC 5321 §4.2.1. */
function describeFailure(err: unknown): AlertDeliveryError {
  const { responseCode } = err as { responseCode?: number };
  const isLasting = responseCode !== undefined && responseCode >= 500;
  const detail = redactText(messageOf(err).replaceAll(/\s*\n\s*/g, ' '));
  return new AlertDeliveryError({ channel: 'email', detail, scope: 'message', isLasting }, { cause: err });
}

/** nodemailer cannot be interrupted; what goes on in the background ends with its own timeouts. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  work.catch(() => {});
  return Promise.race([
    work,
    new Promise<never>((_, reject) => {
      const stop = (): void => reject(new Error('the mail server took too long'));
      if (signal.aborted) stop();
      signal.addEventListener('abort', stop, { once: true });
    }),
  ]);
}
