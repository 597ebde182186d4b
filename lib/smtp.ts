import * as z from 'zod';
import { secret } from './env.ts';

/** What those who send mail agree on: its addresses, and that a password is only ever sent over TLS. */

/** Of a mail server: a secret, since user and password stand in it. */
export const smtpUrl = secret(z.url({ protocol: /^smtps?$/, error: 'must be a URL such as smtp://user:password@host:587' }));

/** An address, bare or as in `Shop <shop@example.com>`. */
export const mailAddress = z.string().regex(/^[^\s,;<>]+@[^\s,;<>]+$|<[^\s,;<>]+@[^\s,;<>]+>$/, 'must be a mail address');

export const addressOf = (mailbox: string): string => /<([^<>]+)>$/.exec(mailbox)?.[1] ?? mailbox;

type CleartextSettings<Prefix extends string> = { readonly [Name in `${Prefix}SMTP_URL`]?: string | undefined } & {
  readonly [Name in `${Prefix}SMTP_ALLOW_CLEARTEXT`]: boolean;
};

/**
 * What of SMTP_URL and SMTP_ALLOW_CLEARTEXT does not go together, one line each: who listens on the way reads a password that
 * goes in clear.
 * @param prefix that both have, such as `MAIL_`
 */
export function cleartextProblems<const Prefix extends string>(prefix: Prefix, settings: CleartextSettings<Prefix>): string[] {
  const given = settings as Readonly<Record<string, string | boolean | undefined>>;
  const url = URL.parse(String(given[`${prefix}SMTP_URL`] ?? ''));
  const allowsCleartext = given[`${prefix}SMTP_ALLOW_CLEARTEXT`] === true;
  if (!url || url.protocol === 'smtps:' || url.password === '') return [];
  if (allowsCleartext && !isLoopback(url.hostname)) {
    const cure = 'use smtps://, or smtp:// with a server that offers STARTTLS';
    return [`${prefix}SMTP_ALLOW_CLEARTEXT=true: ${url.hostname} is not this machine; ${cure}`];
  }
  const refusesTls = ['ignoreTLS', 'opportunisticTLS'].find((option) => url.searchParams.get(option) === 'true');
  if (allowsCleartext || refusesTls === undefined) return [];
  return [`${prefix}SMTP_URL=(hidden): ${refusesTls} would send the password in clear; leave it out, or use smtps://`];
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);

/** Bounds of the parts of one delivery, in ms; the caller bounds the whole. */
const timeouts = { connectionTimeout: 5_000, greetingTimeout: 5_000, socketTimeout: 8_000, dnsTimeout: 5_000 };

/** The URL with bounds, and with STARTTLS demanded before a password. nodemailer reads options of a URL from its query only. */
export function securedSmtpUrl(smtpUrlGiven: string, allowsCleartext: boolean): string {
  const url = new URL(smtpUrlGiven);
  for (const [option, ms] of Object.entries(timeouts)) if (!url.searchParams.has(option)) url.searchParams.set(option, String(ms));
  if (url.protocol === 'smtp:' && url.password !== '' && !allowsCleartext) url.searchParams.set('requireTLS', 'true');
  return url.href;
}
