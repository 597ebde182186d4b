import type { SendMailOptions } from 'nodemailer';
import * as z from 'zod';
import { orAborted } from '#lib/abort.ts';
import { flag, list } from '#lib/env.ts';
import { html } from '#lib/html.ts';
import { addressOf, cleartextProblems, mailAddress, securedSmtpUrl, smtpUrl } from '#lib/smtp.ts';
import { alertId, roleOf, type Alert } from '../../model/alert.ts';
import { AlertDeliveryError, type Channel } from '../channel.ts';
import { describeAlert, linksOf, nextOf, type MessageText, type Sender } from '../message-text.ts';
import type { ChannelKind, EnvOf } from './channel-kind.ts';
import { judgeSmtpFailure } from './smtp-failure.ts';

const env = {
  SMTP_URL: smtpUrl.optional().describe('Mail server alerts go through; unset: no alerts by mail. A password is only ever sent over TLS.'),
  SMTP_ALLOW_CLEARTEXT: flag()
    .default(false)
    .describe('Lets the password of SMTP_URL go to a mail server on this very machine without TLS.'),
  ALERT_EMAIL_FROM: mailAddress.optional().describe('Sender of alerts; required with SMTP_URL.'),
  ALERT_EMAIL_TO: list()
    .pipe(z.array(mailAddress))
    .optional()
    .describe('Recipients of alerts, separated by commas; required with SMTP_URL.'),
};

/** Alerts by mail. Each recipient is a channel of its own, so that one who is refused holds up no other. */
export const emailKind: ChannelKind<typeof env> = {
  kind: 'email',
  env,
  problems: (given) => [...missing(given), ...cleartextProblems('', given)],
  create: ({ SMTP_URL: url, SMTP_ALLOW_CLEARTEXT: allowsCleartext, ALERT_EMAIL_FROM: from, ALERT_EMAIL_TO: all = [] }, sender) => {
    if (url === undefined || from === undefined) return [];
    return all.map((to) => emailChannel({ smtpUrl: securedSmtpUrl(url, allowsCleartext), from, to, all }, sender));
  },
};

function missing({ SMTP_URL: url, ALERT_EMAIL_FROM: from, ALERT_EMAIL_TO: to }: EnvOf<typeof env>): string[] {
  if (url === undefined) return [];
  return [
    ...(from === undefined ? ['ALERT_EMAIL_FROM is not set; it is required with SMTP_URL'] : []),
    ...(to?.length ? [] : ['ALERT_EMAIL_TO is not set; it is required with SMTP_URL']),
  ];
}

type EmailSettings = {
  /** With user and password: a secret. */
  readonly smtpUrl: string;
  readonly from: string;
  /** The recipient of this channel, and everybody who is told. */
  readonly to: string;
  readonly all: readonly string[];
};

function emailChannel(settings: EmailSettings, sender: Sender): Channel {
  const name = settings.all.length === 1 ? 'email' : `email:${addressOf(settings.to)}`;
  return {
    name,
    minSpacingMs: 0,
    send: async (alert, delivery, signal) => {
      // Loaded at the first alert: a monitor at rest keeps its memory.
      const { createTransport } = await import('nodemailer');
      const transport = createTransport(settings.smtpUrl);
      const mail = {
        ...emailMessage(alert, await describeAlert(alert, delivery, sender), settings),
        envelope: { from: addressOf(settings.from), to: [addressOf(settings.to)] },
      };
      try {
        // nodemailer cannot be interrupted; what goes on in the background ends with its own timeouts.
        await orAborted(transport.sendMail(mail), signal);
      } catch (err) {
        throw new AlertDeliveryError(judgeSmtpFailure(err, name), { cause: err });
      } finally {
        transport.close();
      }
    },
  };
}

/**
 * What is mailed, as text and as HTML. Every attempt at one alert carries the same Message-ID, and the messages of one
 * incident form a thread. Pure.
 */
export function emailMessage(alert: Alert, message: MessageText, { from, all }: Pick<EmailSettings, 'from' | 'all'>): SendMailOptions {
  const domain = /@([\w.-]+)/.exec(from)?.[1] ?? 'atalaya.invalid';
  const firstId = `<${alertId(alert.incidentId, openingOf(alert))}@${domain}>`;
  const isFirst = roleOf(alert.event) === 'opens' || alert.event === 'notice' || alert.event === 'test';
  return {
    from,
    to: [...all],
    subject: message.title,
    text: asText(message),
    html: asHtml(message),
    messageId: `<${alert.id}@${domain}>`,
    ...(isFirst ? {} : { inReplyTo: firstId, references: firstId }),
    // RFC 3834: keeps out-of-office robots from answering.
    headers: { 'Auto-Submitted': 'auto-generated', 'X-Atalaya-Incident': alert.incidentId },
  };
}

/** By the kind in the incident's id: a reminder does not say what it reminds of. */
function openingOf({ incidentId }: Alert): Alert['event'] {
  if (incidentId.endsWith('-flapping')) return 'flapping';
  return incidentId.endsWith('-unknown') ? 'unknown' : 'firing';
}

function asText(message: MessageText): string {
  const { title, cause, detail, facts } = message;
  const rows = [...facts, ...linksOf(message)].map(([label, value]) => `${`${label}:`.padEnd(17)}${value}`);
  return [
    title,
    '',
    ...(cause === undefined ? [] : [cause, '']),
    detail,
    ...nextOf(message).flatMap(([name, value]) => ['', `${name}: ${value}`]),
    '',
    ...rows,
    '',
  ].join('\n');
}

function asHtml(message: MessageText): string {
  const { language, title, cause, detail, facts } = message;
  const { markup } = html`<!doctype html>
    <html lang="${language}">
      <body style="font-family: sans-serif; line-height: 1.4">
        <h1 style="font-size: 1.2em">${title}</h1>
        ${cause !== undefined && html`<p><strong>${cause}</strong></p>`}
        <p>${detail}</p>
        ${nextOf(message).map(([name, value]) => html`<p><strong>${name}:</strong> ${value}</p>`)}
        <table cellpadding="2">
          ${facts.map(
            ([label, value]) =>
              html`<tr>
                <th align="left" valign="top">${label}</th>
                <td>${value}</td>
              </tr>`,
          )}
        </table>
        <p>${linksOf(message).map(([label, href], index) => html`${index > 0 && ' · '}<a href="${href}">${label}</a>`)}</p>
      </body>
    </html>`;
  return markup;
}
