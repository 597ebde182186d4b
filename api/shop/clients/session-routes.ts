import { passwordProblem, type Person } from '../../auth/password-rules.ts';
import type { Passwords } from '../../auth/passwords.ts';
import { assertMayActFor, sessionOf } from '../../auth/principal.ts';
import type { KnownAddresses } from '../../auth/known-addresses.ts';
import type { PasswordResets } from '../../auth/password-resets.ts';
import { beginSession, endSessions, refreshSession, type Session } from '../../auth/sessions.ts';
import type { AccessToken, Quota, Tokens } from '../../auth/tokens.ts';
import { statement } from '../../db/statement.ts';
import { ApiError } from '../../errors.ts';
import { write, type Route } from '../../http/route.ts';
import { addressKey } from '../../http/trusted-proxies.ts';
import { nothing, type Shown } from '../../http/view.ts';
import { idParams } from '../fields.ts';
import { loginInput, passwordChange, refreshInput, sessionView } from './client-schema.ts';
import { changePassword } from './clients.ts';

/** What the routes work with beside the database. */
export type ApiServices = {
  readonly tokens: Tokens;
  readonly passwords: Passwords;
  /** How long a session lives that is not refreshed. */
  readonly sessionSeconds: number;
  readonly resets: PasswordResets;
  readonly knownAddresses: KnownAddresses;
  /** Sends what the outbox holds; undefined: mail goes to nobody. */
  readonly mail?: { readonly wake: () => void } | undefined;
};

export const sessionRoutes = (services: ApiServices): readonly Route[] => [
  loginRoute(services),
  refreshRoute(services),
  logoutRoute(services),
  passwordRoute(services),
];

export type Account = {
  readonly id_key: number;
  readonly name: string;
  readonly lastname: string;
  readonly email: string;
  readonly password_hash: string | null;
  readonly is_loadtest: boolean;
};

const accountColumns = 'id_key, name, lastname, email, password_hash, created_by_key_id IS NOT NULL AS is_loadtest';
const accountByEmail = statement<Account>(
  'account-by-email',
  `SELECT ${accountColumns} FROM clients WHERE lower(email) = lower($1) AND deleted_at IS NULL`,
);
export const accountById = statement<Account>(
  'account-by-id',
  `SELECT ${accountColumns} FROM clients WHERE id_key = $1 AND deleted_at IS NULL`,
);

/** Refuses the same, and after the same time, for a wrong password and for an unknown address. */
function loginRoute({ passwords, tokens, sessionSeconds, knownAddresses }: ApiServices): Route {
  return write({
    method: 'POST',
    path: '/clients/login',
    write: 'plainly',
    access: 'public',
    limitClass: 'login',
    limitTarget: ({ email }) => email.toLowerCase(),
    summary: 'Log in, which begins a session',
    body: loginInput,
    answers: { 200: sessionView },
    errors: ['unauthenticated', 'overloaded'],
    before: async ({ body: { email, password }, signal, note }, db) => {
      const { account, isProved } = await proveAccount(passwords, { password, find: () => db.query(accountByEmail, [email]), signal });
      if (!account || !isProved) note('login_failed', account?.id_key);
      if (!account || !isProved) throw new ApiError('unauthenticated', 'The e-mail address or the password is wrong.');
      return account;
    },
    handler: async (tx, { address }, account) => {
      await knownAddresses.remember(tx, account.id_key, addressKey(address));
      return answerSession(tokens, account, await beginSession(tx, account.id_key, sessionSeconds));
    },
    after: async ({ note }, { id_key: clientId }) => {
      tokens.forget(clientId as number);
      note('login_succeeded', clientId as number);
    },
  });
}

type Proof = { readonly password: string; readonly find: () => Promise<Account[]>; readonly signal: AbortSignal };

/** The account aimed at, and whether the password is its own: of a wrong one as of no account after the same time. */
async function proveAccount(
  passwords: Passwords,
  { password, find, signal }: Proof,
): Promise<{ readonly account: Account | undefined; readonly isProved: boolean }> {
  let account: Account | undefined;
  const findHash = async (): Promise<string | undefined> => {
    [account] = await find();
    return account?.password_hash ?? undefined;
  };
  const isProved = await passwords.verify(password, findHash, signal);
  return { account, isProved };
}

/**
 * The account, whose password has been given anew: a token alone, which may be stolen, changes no way into it.
 * @throws forbidden
 */
export async function assertOwner(passwords: Passwords, proof: Proof, onRefused: () => void): Promise<Account> {
  const { account, isProved } = await proveAccount(passwords, proof);
  if (account && isProved) return account;
  onRefused();
  throw new ApiError('forbidden', 'The current password is wrong.');
}

async function answerSession(
  tokens: Tokens,
  { id_key: clientId, name, is_loadtest: isLoadtest }: Account,
  { id: sessionId, refreshToken }: Session,
): Promise<Shown<typeof sessionView>> {
  const quota: Quota = isLoadtest ? 'loadtest' : 'standard';
  const token = await tokens.issue({ clientId, quota, sessionId });
  return { id_key: clientId, name, ...tokenMembers(token), refresh_token: refreshToken };
}

/** Named as in RFC 6749 §5.1. */
export const tokenMembers = ({ accessToken, expiresInSeconds }: AccessToken) => ({
  access_token: accessToken,
  token_type: 'Bearer',
  expires_in: expiresInSeconds,
});

function refreshRoute({ tokens, sessionSeconds }: ApiServices): Route {
  return write({
    method: 'POST',
    path: '/clients/refresh',
    write: 'plainly',
    access: 'public',
    summary: 'Go on with a session: change its refresh token for a new one, and get an access token',
    body: refreshInput,
    answers: { 200: sessionView },
    errors: ['unauthenticated'],
    handler: async (tx, { body: { refresh_token: token }, note }) => {
      const session = await refreshSession(tx, token, sessionSeconds);
      if (session.outcome === 'stolen') note('session_stolen', session.clientId);
      const isRefreshed = session.outcome === 'refreshed';
      const [account] = isRefreshed ? await tx.query(accountById, [session.clientId]) : [];
      // Returned, not thrown: when the token had been stolen, that its session is over has to stay.
      if (!isRefreshed || !account)
        return new ApiError('unauthenticated', 'The refresh token is unknown, was used before, or its session has ended.');
      return answerSession(tokens, account, session);
    },
  });
}

function logoutRoute({ tokens }: ApiServices): Route {
  return write({
    method: 'DELETE',
    path: '/clients/:id/sessions',
    write: 'plainly',
    access: ['customer', 'operator'],
    summary: 'Log out everywhere: end all sessions of a client',
    params: idParams,
    answers: { 204: nothing },
    errors: ['not_found'],
    handler: async (tx, { params, principal }) => {
      assertMayActFor(principal, params.id);
      await endSessions(tx, params.id);
    },
    after: async ({ params, principal, note }) => {
      tokens.forget(params.id);
      note('sessions_ended', params.id);
      if (principal.kind === 'operator') note('operator_acted', params.id);
    },
  });
}

function passwordRoute({ passwords, tokens, mail }: ApiServices): Route {
  return write({
    method: 'PUT',
    path: '/clients/:id/password',
    write: 'plainly',
    access: ['customer'],
    limitClass: 'login',
    summary: 'Change a password, which ends all other sessions',
    params: idParams,
    body: passwordChange,
    secrets: ['current_password', 'new_password'],
    answers: { 204: nothing },
    errors: ['not_found', 'forbidden', 'overloaded'],
    before: async ({ params, body, principal, signal, note }, db) => {
      assertMayActFor(principal, params.id);
      const find = (): Promise<Account[]> => db.query(accountById, [params.id]);
      const account = await assertOwner(passwords, { password: body.current_password, find, signal }, () =>
        note('password_change_refused', params.id),
      );
      await assertGoodPassword(body.new_password, account, '/new_password');
      return passwords.hash(body.new_password, signal);
    },
    handler: async (tx, { params, principal }, passwordHash) => {
      await changePassword(tx, { id: params.id, passwordHash, sessionId: sessionOf(principal), isMailed: mail !== undefined });
    },
    after: async ({ params, note }) => {
      tokens.forget(params.id);
      note('password_changed', params.id);
      mail?.wake();
    },
  });
}

/** @throws validation_failed with what is wrong with it, which never repeats it */
export async function assertGoodPassword(password: string, person: Person, pointer: string): Promise<void> {
  const message = await passwordProblem(password, person);
  if (message !== undefined) throw new ApiError('validation_failed', 'The password cannot be chosen.', { errors: [{ pointer, message }] });
}
