import { assertMayActFor, onlyClient, sessionOf, type Principal } from '../../auth/principal.ts';
import { ApiError } from '../../errors.ts';
import { read, write, type Route } from '../../http/route.ts';
import { listOf, nothing } from '../../http/view.ts';
import { idParams } from '../fields.ts';
import { nextPage, pageQuery } from '../pages.ts';
import { clientChanges, clientConstraints, clientView, registrationInput, tokenView } from './client-schema.ts';
import { deleteClient, readClient, readClients, registerClient, updateClient } from './clients.ts';
import { resetRoutes } from './reset-routes.ts';
import {
  accountById,
  assertGoodPassword,
  assertOwner,
  sessionRoutes,
  type Account,
  tokenMembers,
  type ApiServices,
} from './session-routes.ts';

export type { ApiServices };

export const clientRoutes = (services: ApiServices): readonly Route[] => [
  registrationRoute(services),
  ...sessionRoutes(services),
  ...resetRoutes(services),
  ...readRoutes,
  updateRoute(services),
  deleteRoute(services),
];

/** Anyone may register. A load test gets a token with each client it registers, and may leave the password out. */
function registrationRoute({ passwords, tokens }: ApiServices): Route {
  return write({
    method: 'POST',
    path: '/clients',
    write: 'once',
    access: 'public',
    limitClass: 'client_create',
    summary: 'Register',
    body: registrationInput,
    secrets: ['password'],
    answers: { 201: clientView },
    errors: ['duplicate', 'overloaded'],
    constraints: clientConstraints,
    before: async ({ body, principal, signal }) => {
      const { password } = body;
      if (password !== undefined) {
        await assertGoodPassword(password, body, '/password');
        return passwords.hash(password, signal);
      }
      if (principal.kind === 'loadtest') return null;
      throw new ApiError('validation_failed', 'The body cannot be accepted.', {
        errors: [{ pointer: '/password', message: 'is required' }],
      });
    },
    handler: (tx, { body: { password: _password, ...personal }, principal }, passwordHash) =>
      registerClient(tx, { ...personal, passwordHash, createdByKeyId: loadtestKey(principal) ?? null }),
    after: async ({ principal }, { id_key: clientId }) => {
      if (principal.kind !== 'loadtest') return undefined;
      return tokenMembers(await tokens.issue({ clientId: clientId as number, quota: 'loadtest' }));
    },
    joins: tokenView,
  });
}

const loadtestKey = (principal: Principal): number | undefined => (principal.kind === 'loadtest' ? principal.keyId : undefined);

const readRoutes: readonly Route[] = [
  read({
    path: '/clients',
    access: ['customer', 'operator'],
    summary: 'List clients; a customer sees only itself',
    query: pageQuery,
    answers: { 200: listOf(clientView) },
    next: nextPage,
    handler: (db, { query, principal }) => readClients(db, query, onlyClient(principal)),
  }),
  read({
    path: '/clients/:id',
    access: ['customer', 'operator'],
    summary: 'Read a client',
    params: idParams,
    answers: { 200: clientView },
    errors: ['not_found'],
    handler: async (db, { params, principal }) => {
      assertMayActFor(principal, params.id);
      return readClient(db, params.id);
    },
  }),
];

/**
 * Another e-mail address asks a customer for the current password, as another password does: whoever holds it can have a new one mailed.
 * @see https://github.com/OWASP/ASVS/blob/master/5.0/en/0x16-V7-Session-Management.md (7.5.1)
 */
function updateRoute({ passwords, tokens, mail }: ApiServices): Route {
  return write({
    method: 'PUT',
    path: '/clients/:id',
    write: 'plainly',
    access: ['customer', 'operator'],
    limitClass: 'client_change',
    summary: 'Change a client; another e-mail address asks a customer for the current password, and ends its other sessions',
    params: idParams,
    body: clientChanges,
    secrets: ['current_password'],
    answers: { 200: clientView },
    errors: ['not_found', 'version_mismatch', 'duplicate', 'forbidden', 'overloaded'],
    constraints: clientConstraints,
    before: async ({ params, body: { email, current_password: password }, principal, signal, note }, db) => {
      assertMayActFor(principal, params.id);
      if (principal.kind !== 'customer') return { mayMove: true };
      const find = (): Promise<Account[]> => db.query(accountById, [params.id]);
      if (email === undefined || (await find())[0]?.email === email) return { mayMove: false };
      if (password === undefined)
        throw new ApiError('validation_failed', 'The body cannot be accepted.', {
          errors: [{ pointer: '/current_password', message: 'is required for another e-mail address' }],
        });
      await assertOwner(passwords, { password, find, signal }, () => note('email_change_refused', params.id));
      return { mayMove: true };
    },
    handler: async (tx, { params, body: { current_password: _proof, ...changes }, principal, ifMatch, note }, { mayMove }) => {
      const update = { id: params.id, changes, mayMove, ifMatch, sessionId: sessionOf(principal), isMailed: mail !== undefined };
      const { client, hasNewAddress } = await updateClient(tx, update);
      if (hasNewAddress) note('email_changed', params.id);
      return client;
    },
    after: async ({ params, principal, note }) => {
      tokens.forget(params.id);
      if (principal.kind === 'operator') note('operator_acted', params.id);
      mail?.wake();
    },
  });
}

function deleteRoute({ tokens }: ApiServices): Route {
  return write({
    method: 'DELETE',
    path: '/clients/:id',
    write: 'plainly',
    access: ['customer', 'operator', 'loadtest'],
    summary: 'Delete a client and all that is personal of it',
    params: idParams,
    answers: { 204: nothing },
    errors: ['not_found', 'version_mismatch'],
    handler: async (tx, { params, principal, ifMatch }) => {
      assertMayActFor(principal, params.id);
      await deleteClient(tx, { id: params.id, madeByKeyId: loadtestKey(principal), ifMatch });
    },
    after: async ({ params, principal, note }) => {
      tokens.forget(params.id);
      note('account_deleted', params.id);
      if (principal.kind === 'operator') note('operator_acted', params.id);
    },
  });
}
