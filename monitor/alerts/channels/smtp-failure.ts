import { messageOf } from '#lib/errors.ts';
import { redactText } from '#lib/redact.ts';
import { mayHaveLeft, type DeliveryFailure } from '../channel.ts';

/** What nodemailer says of a failure. */
type SmtpError = {
  /** First three digits of the server's answer, where there was one. */
  readonly responseCode?: number;
  readonly response?: string;
  /** The command that was answered: `CONN`, `EHLO`, `STARTTLS`, `AUTH PLAIN`, `MAIL FROM`, `RCPT TO`, `DATA`. */
  readonly command?: string;
  readonly code?: string;
  /** The system's own code below that. */
  readonly originalCode?: string;
};

/**
 * What a failed delivery by SMTP means. 4xx passes and 5xx lasts (RFC 5321 §4.2.1), but where the enhanced code says
 * otherwise (RFC 3463) the milder of both is believed, since greylisting hides behind either. Without an answer the way
 * there is broken, which passes. Refused recipients and senders, logins and whole servers concern the channel, which is
 * one recipient; a refusal of the message itself, or for now, concerns that message. Pure.
 */
export function judgeSmtpFailure(err: unknown, channel: string): DeliveryFailure {
  const { responseCode, response = '', command = '', code, originalCode = code } = err as SmtpError;
  const detail = redactText(messageOf(err).replaceAll(/\s*\n\s*/g, ' '));
  if (code === 'ETLS' && command === 'STARTTLS') {
    const why = `no TLS with the mail server, so the password is not sent: use a server with STARTTLS, or smtps:// (${detail})`;
    return { channel, detail: why, scope: 'channel', isLasting: isRefusal(responseCode) };
  }
  if (responseCode === undefined) return { channel, detail, scope: 'channel', isLasting: false, mayHaveArrived: mayHaveLeft(originalCode) };
  const [, enhanced, subject] = /^\d{3}[ -]([245])\.(\d{1,3})\.\d{1,3}\b/.exec(response) ?? [];
  const isLasting = isRefusal(responseCode) && enhanced !== '4';
  return { channel, detail, isLasting, scope: isOfMessage(command, { responseCode, subject, isLasting }) ? 'message' : 'channel' };
}

const isRefusal = (responseCode: number | undefined): boolean => responseCode !== undefined && responseCode >= 500;

/** 421 closes the service; subjects 3 and 4 of enhanced codes are the mail system and the network. */
function isOfMessage(
  command: string,
  {
    responseCode,
    subject,
    isLasting,
  }: { readonly responseCode: number; readonly subject: string | undefined; readonly isLasting: boolean },
): boolean {
  if (responseCode === 421 || subject === '3' || subject === '4') return false;
  if (command === 'DATA') return true;
  return !isLasting && (command === 'MAIL FROM' || command === 'RCPT TO');
}
