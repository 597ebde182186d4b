import type { Pool } from 'pg';
import { resetLastsSeconds, type PasswordResets } from '../auth/password-resets.ts';
import type { WaitingMail } from './outbox.ts';

export type Letter = { readonly to: string; readonly subject: string; readonly text: string };

export type LetterDeps = {
  readonly pool: Pool;
  readonly resets: PasswordResets;
  /** The shop's page on which a new password is chosen. */
  readonly resetUrl: string;
};

/**
 * Writes what a waiting mail shall say; undefined when there is nobody to say it to, as for a reset of an address without an
 * account. No name stands in it: whoever registers the address of somebody else could have the shop mail them any text.
 */
export async function writeLetter(
  { id, kind, address: to }: WaitingMail,
  { pool, resets, resetUrl }: LetterDeps,
): Promise<Letter | undefined> {
  switch (kind) {
    case 'password_reset': {
      const token = await resets.begin(pool, id, to);
      return token === undefined ? undefined : { to, subject: 'Choose a new password', text: resetText(tokenUrl(resetUrl, token)) };
    }
    case 'password_changed':
      return { to, subject: 'Your password was changed', text: passwordChangedText(resetUrl) };
    case 'email_changed':
      return { to, subject: 'Your e-mail address was changed', text: emailChangedText };
    default:
      return kind satisfies never;
  }
}

/** In the fragment, which browsers send to no server and in no Referer. */
const tokenUrl = (page: string, token: string): string => `${page}#reset_token=${token}`;

const resetText = (url: string): string => `Somebody, probably you, asked for a new password for your account.

Choose it here within ${resetLastsSeconds / 60} minutes; the link works once:

${url}

If it was not you, you need not do anything: your password stays as it is.
`;

const passwordChangedText = (
  page: string,
): string => `The password of your account was changed, and every session was ended but the one that changed it.

If it was not you, choose a new one at once:

${page}
`;

const emailChangedText = `The e-mail address of your account was changed: this is the last mail about it to this one.

If it was not you, tell the shop at once.
`;
