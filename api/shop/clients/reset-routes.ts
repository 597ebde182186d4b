import { ApiError } from '../../errors.ts';
import { write, type Route } from '../../http/route.ts';
import { addressKey } from '../../http/trusted-proxies.ts';
import { nothing } from '../../http/view.ts';
import { queueMail } from '../../mail/outbox.ts';
import { accountView, resetInput, resetRequest } from './client-schema.ts';
import { changePassword } from './clients.ts';
import { accountById, assertGoodPassword, type ApiServices } from './session-routes.ts';

/** A new password for whoever reads the mail of an account. */
export const resetRoutes = (services: ApiServices): readonly Route[] => [askRoute(services), useRoute(services)];

/** A mail that cannot be sent for longer is given up; its reader may have asked again. */
const mailTtlSeconds = 1_800;

/**
 * Says and does the same, and so takes the same time, whether the address has an account or not: it queues a mail, and only
 * whoever sends it looks whether there is anybody to write to.
 */
function askRoute({ mail }: ApiServices): Route {
  return write({
    method: 'POST',
    path: '/clients/forgot-password',
    write: 'plainly',
    access: 'public',
    limitClass: 'password_reset',
    limitTarget: ({ email }) => email.toLowerCase(),
    summary: 'Have a token for a new password mailed to an account’s address; answers the same where there is no account',
    body: resetRequest,
    answers: { 204: nothing },
    errors: ['not_configured'],
    before: async () => {
      if (!mail) throw new ApiError('not_configured', 'This shop sends no mail.');
    },
    handler: async (tx, { body: { email: address } }) => {
      const isQueued = await queueMail(tx, { kind: 'password_reset', address, ttlSeconds: mailTtlSeconds });
      if (!isQueued) throw new ApiError('overloaded', 'Too many mails wait to be sent; try again later.');
    },
    after: async ({ note }) => {
      note('reset_asked');
      mail?.wake();
    },
  });
}

function useRoute({ resets, knownAddresses, passwords, tokens, mail }: ApiServices): Route {
  return write({
    method: 'POST',
    path: '/clients/reset-password',
    write: 'plainly',
    access: 'public',
    limitClass: 'login',
    summary: 'Choose a new password with a token that was mailed, once; it ends all sessions',
    body: resetInput,
    secrets: ['reset_token', 'new_password'],
    answers: { 200: accountView },
    errors: ['unauthenticated', 'overloaded'],
    before: async ({ body, signal, note }, db) => {
      const clientId = await resets.find(db, body.reset_token);
      const [account] = clientId === undefined ? [] : await db.query(accountById, [clientId]);
      if (!account) note('reset_refused');
      if (!account) throw refusal();
      await assertGoodPassword(body.new_password, account, '/new_password');
      return passwords.hash(body.new_password, signal);
    },
    handler: async (tx, { body, address, note }, passwordHash) => {
      const id = await resets.take(tx, body.reset_token);
      if (id === undefined) note('reset_refused');
      if (id === undefined) throw refusal();
      await knownAddresses.remember(tx, id, addressKey(address));
      return changePassword(tx, { id, passwordHash, isMailed: mail !== undefined });
    },
    after: async ({ note }, { id_key: clientId }) => {
      tokens.forget(clientId as number);
      note('reset_used', clientId as number);
      mail?.wake();
    },
  });
}

const refusal = (): ApiError => new ApiError('unauthenticated', 'The reset token is unknown, has expired, or was used.');
