import { ApiError } from '../errors.ts';

/** Who makes a request, as proved by a credential. */
export type Principal =
  | { readonly kind: 'anonymous' }
  /** `quota: 'loadtest'` marks a client that a load test made for itself; only its request quota differs. */
  | {
      readonly kind: 'customer';
      readonly clientId: number;
      readonly quota: 'standard' | 'loadtest';
      /** Undefined where none was begun, as for the clients of a load test. */
      readonly sessionId?: number | undefined;
    }
  /** `isReadOnly`: may look at everything, and change nothing. */
  | { readonly kind: 'operator'; readonly keyId: number; readonly name: string; readonly isReadOnly?: true }
  | { readonly kind: 'loadtest'; readonly keyId: number; readonly name: string };

export const anonymous: Principal = { kind: 'anonymous' };

/**
 * Asked before the database is, when memory does not tell what a credential proves. Rejects to refuse the question.
 * `claimed`: whom the credential stands for if it still holds; undefined while nobody knows whose it is.
 */
export type Admit = (claimed: Principal | undefined) => Promise<void>;

/** For those that ask on nobody's behalf. */
export const admitAll: Admit = () => Promise.resolve();

/** A stable text for one principal, for keys of the idempotency table and the rate limit. Undefined for anonymous. */
export function principalKey(principal: Principal): string | undefined {
  if (principal.kind === 'anonymous') return undefined;
  return principal.kind === 'customer' ? clientKey(principal.clientId) : keyKey(principal.keyId);
}

/** Whether a load test asks: with its key, or as a client it made with it. Pure. */
export const isLoadTest = (principal: Principal): boolean =>
  principal.kind === 'loadtest' || (principal.kind === 'customer' && principal.quota === 'loadtest');

/** The session a caller asks by, if there is one. */
export function sessionOf(principal: Principal): number | undefined {
  return principal.kind === 'customer' ? principal.sessionId : undefined;
}

/** The `principalKey` of a client. */
export const clientKey = (clientId: number | string): string => `client:${clientId}`;

/** The `principalKey` of an API key. */
export const keyKey = (keyId: number): string => `key:${keyId}`;

/** The client whose things are all that a caller may see; undefined: everyone's. Pure. */
export function onlyClient(principal: Principal): number | undefined {
  return principal.kind === 'customer' ? principal.clientId : undefined;
}

/**
 * Lets a caller go on who may act for a client. To others it does not exist, so that nobody learns which ids do. Pure.
 * @param pointer where the client's id stands in the request, if it is not the path
 * @throws not_found
 */
export function assertMayActFor(principal: Principal, clientId: number, pointer?: string): void {
  const only = onlyClient(principal);
  if (only !== undefined && only !== clientId) throw clientNotFound(pointer);
}

/**
 * Whose things a list shows: of the client asked for, else of all that a caller may see. Undefined: everyone's. Pure.
 * @param asked as `client_id` in the query; to a customer no other client exists
 * @throws not_found
 */
export function clientToList(principal: Principal, asked: number | undefined): number | undefined {
  if (asked !== undefined) assertMayActFor(principal, asked, 'client_id');
  return asked ?? onlyClient(principal);
}

/** A client that does not exist, or not for this caller: the two are told apart by nobody. */
export function clientNotFound(pointer?: string): ApiError {
  const errors = pointer === undefined ? [] : [{ pointer, message: 'does not exist' }];
  return new ApiError('not_found', 'The client does not exist.', { errors });
}
