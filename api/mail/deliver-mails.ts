import { setTimeout as sleep } from 'node:timers/promises';
import { orAborted } from '#lib/abort.ts';
import { messageOf } from '#lib/errors.ts';
import type { Logger } from '#lib/logger.ts';
import { redactText } from '#lib/redact.ts';
import { backoffDelayMs, type Backoff } from '#lib/retry.ts';
import { addressOf } from '#lib/smtp.ts';
import type { Pool } from 'pg';
import type { Letter } from './letters.ts';
import { claimMail, postponeMail, removeMail, type WaitingMail } from './outbox.ts';

export type MailDelivery = {
  /** A mail has been queued: it is sent now, not at the next look. */
  readonly wake: () => void;
  /** Resolves once no mail is being sent any more, after a second and a bit at most; what waits is left to other processes. */
  readonly stop: () => Promise<void>;
};

export type MailDeliveryDeps = {
  readonly pool: Pool;
  /** Undefined: there is nothing to send. */
  readonly write: (mail: WaitingMail) => Promise<Letter | undefined>;
  /** Resolves once the mail server has accepted it; heeds the signal. @param id the same at every attempt */
  readonly send: (letter: Letter, id: number, signal: AbortSignal) => Promise<void>;
  readonly logger: Logger;
  /** How often it looks for mails that nobody told it of: those of other processes, and those to be tried again. */
  readonly lookEveryMs?: number;
};

/** Longest time for one mail; well below the lease in the outbox. */
const sendWithinMs = 20_000;
/** Whoever is being written to when the process ends gets the mail, if the mail server does not take longer. */
const stopGraceMs = 1_000;
const retries: Backoff = { firstDelayMs: 5_000, maxDelayMs: 600_000, jitter: 0.2 };

/** Sends what waits in the outbox, one mail at a time, for as long as the process lives. */
export const startMailDelivery = (deps: MailDeliveryDeps): MailDelivery => new Delivery(deps);

class Delivery implements MailDelivery {
  readonly #deps: MailDeliveryDeps;
  /** Done with, but still in the database, which has not heard of it: none of them is sent again by this process. */
  readonly #done = new Set<number>();
  readonly #cut = new AbortController();
  readonly #timer: NodeJS.Timeout;
  #running: Promise<void> | undefined;
  #isAsked = false;
  #isStopping = false;
  #isTroubled = false;

  constructor(deps: MailDeliveryDeps) {
    this.#deps = deps;
    this.#timer = setInterval(this.wake, deps.lookEveryMs ?? 5_000).unref();
  }

  readonly wake = (): void => {
    this.#isAsked = !this.#isStopping;
    this.#running ??= this.#runWhileAsked();
  };

  readonly stop = async (): Promise<void> => {
    this.#isStopping = true;
    clearInterval(this.#timer);
    await Promise.race([this.#running, sleep(stopGraceMs)]);
    this.#cut.abort();
    await this.#running;
  };

  async #runWhileAsked(): Promise<void> {
    while (this.#isAsked) {
      this.#isAsked = false;
      try {
        await this.#sendAll();
        this.#isTroubled = false;
      } catch (err) {
        if (!this.#isTroubled) this.#deps.logger.warn({ detail: describeFailure(err) }, 'the outbox of mails cannot be reached');
        this.#isTroubled = true;
      }
    }
    this.#running = undefined;
  }

  async #sendAll(): Promise<void> {
    const { pool } = this.#deps;
    for (;;) {
      for (const id of this.#done) {
        await removeMail(pool, id);
        this.#done.delete(id);
      }
      const mail = this.#isStopping ? undefined : await claimMail(pool);
      if (!mail) return;
      await this.#attempt(mail);
    }
  }

  async #attempt(mail: WaitingMail): Promise<void> {
    const { pool, write, send, logger } = this.#deps;
    const { id, kind, attempts } = mail;
    try {
      const letter = await write(mail);
      if (letter) await send(letter, id, AbortSignal.any([this.#cut.signal, AbortSignal.timeout(sendWithinMs)]));
      this.#done.add(id);
      if (letter) logger.info({ mail: id, kind, attempts }, 'mail sent');
    } catch (err) {
      const detail = describeFailure(err);
      if (isLasting(err)) {
        this.#done.add(id);
        logger.error({ mail: id, kind, detail }, 'mail is refused for good, and given up');
        return;
      }
      const delayMs = backoffDelayMs(attempts, retries, Math.random());
      logger.warn({ mail: id, kind, attempts, retry_in_ms: delayMs, detail }, 'mail could not be sent');
      await postponeMail(pool, id, delayMs);
    }
  }
}

/** One line, without the addresses that mail servers repeat. */
const describeFailure = (err: unknown): string =>
  redactText(messageOf(err).replaceAll(/\s*\n\s*/g, ' ')).replaceAll(/[^\s<>:]+@[^\s<>:]+/g, '(address)');

type SmtpError = { readonly responseCode?: number; readonly command?: string; readonly response?: string };

/**
 * Whether another attempt is in vain: the recipient, or the mail itself, is refused with 5xx. Refused logins, senders and whole
 * servers can be mended by whoever runs them; behind an enhanced code of 4 hides greylisting (RFC 3463). Pure.
 */
export function isLasting(err: unknown): boolean {
  const { responseCode = 0, command = '', response = '' } = err as SmtpError;
  return responseCode >= 500 && (command === 'RCPT TO' || command === 'DATA') && !/^\d{3}[ -]4\./.test(response);
}

export type SmtpSettings = {
  /** With user and password, and bounds of its own: a secret. */
  readonly smtpUrl: string;
  readonly from: string;
};

/** Sends by SMTP. */
export function smtpSender({ smtpUrl, from }: SmtpSettings): MailDeliveryDeps['send'] {
  const domain = addressOf(from).split('@')[1] ?? 'atalaya.invalid';
  return async ({ to, subject, text }, id, signal) => {
    // Loaded at the first mail.
    const { createTransport } = await import('nodemailer');
    const transport = createTransport(smtpUrl);
    const envelope = { from: addressOf(from), to: [to] };
    // RFC 3834: keeps out-of-office robots from answering.
    const headers = { 'Auto-Submitted': 'auto-generated' };
    try {
      const mail = { from, to, envelope, subject, text, headers, messageId: `<mail-${id}@${domain}>` };
      // nodemailer cannot be interrupted; what goes on in the background ends with its own timeouts.
      await orAborted(transport.sendMail(mail), signal);
    } finally {
      transport.close();
    }
  };
}
