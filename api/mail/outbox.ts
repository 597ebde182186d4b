import type { Pool } from 'pg';
import { runStatement, statement } from '../db/statement.ts';
import type { Tx } from '../db/tx.ts';

/**
 * Mails that wait to be sent. A row commits with what causes the mail, is sent afterwards by whichever process claims it, and is
 * deleted once the mail server has accepted it. It names what to say, never a secret: tokens are made when the mail is written.
 */

export type MailKind = 'password_reset' | 'password_changed' | 'email_changed';

export type NewMail = {
  readonly kind: MailKind;
  readonly address: string;
  /** Whose affair it is, with whom it is erased; undefined where that is not known yet. */
  readonly clientId?: number | undefined;
  /** Sent later it would be of no use. Seconds. */
  readonly ttlSeconds: number;
};

export type WaitingMail = {
  readonly id: number;
  readonly kind: MailKind;
  readonly address: string;
  /** This one included. */
  readonly attempts: number;
};

/** Beyond so many nobody looks any more: strangers must not fill the database by asking. */
const maxWaiting = 10_000;
/** Longer than an attempt at sending lasts: whoever claimed a mail has it alone for so long, and has died if it is still there. */
const leaseSeconds = 60;

const queue = statement<{ id: number }>(
  'mail-queue',
  `INSERT INTO mails (kind, address, client_id, expires_at) SELECT $1, $2, $3, now() + make_interval(secs => $4)
   WHERE (SELECT count(*) FROM (SELECT FROM mails LIMIT ${maxWaiting}) AS waiting) < ${maxWaiting} RETURNING id`,
);

/** @returns false when too many wait already */
export async function queueMail(tx: Tx, { kind, address, clientId, ttlSeconds }: NewMail): Promise<boolean> {
  return (await tx.query(queue, [kind, address, clientId ?? null, ttlSeconds])).length > 0;
}

const claim = statement<WaitingMail>(
  'mail-claim',
  `WITH expired AS (
     DELETE FROM mails WHERE id IN (SELECT id FROM mails WHERE expires_at <= now() LIMIT 100 FOR UPDATE SKIP LOCKED)
   )
   UPDATE mails SET attempts = attempts + 1, due_at = now() + interval '${leaseSeconds} seconds' WHERE id = (
     SELECT id FROM mails WHERE due_at <= now() AND expires_at > now() ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED
   ) RETURNING id, kind, address, attempts`,
);

/** The mail that is due for longest, for this process alone while its lease lasts; undefined: none is due. */
export async function claimMail(pool: Pool): Promise<WaitingMail | undefined> {
  return (await runStatement(pool, claim))[0];
}

const remove = statement('mail-remove', 'DELETE FROM mails WHERE id = $1');
const postpone = statement('mail-postpone', 'UPDATE mails SET due_at = now() + make_interval(secs => $2) WHERE id = $1');

/** Nothing is left of it: it has been sent, or never will be. */
export async function removeMail(pool: Pool, id: number): Promise<void> {
  await runStatement(pool, remove, [id]);
}

export async function postponeMail(pool: Pool, id: number, delayMs: number): Promise<void> {
  await runStatement(pool, postpone, [id, delayMs / 1_000]);
}

const drop = statement('mail-drop-resets', `DELETE FROM mails WHERE kind = 'password_reset' AND lower(address) = lower($1)`);

/** For an address that is no account's any more. */
export async function dropResetMails(tx: Tx, address: string): Promise<void> {
  await tx.query(drop, [address]);
}

const erase = statement('mail-erase', 'DELETE FROM mails WHERE client_id = $1 OR lower(address) = lower($2)');

/** Part of a client's deletion. */
export async function eraseMails(tx: Tx, clientId: number, address: string): Promise<void> {
  await tx.query(erase, [clientId, address]);
}
