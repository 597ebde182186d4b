/** Who makes a request, as proved by a credential. */
export type Principal =
  | { readonly kind: 'anonymous' }
  /** `quota: 'loadtest'` marks a client that a load test made for itself; only its request quota differs. */
  | { readonly kind: 'customer'; readonly clientId: number; readonly quota: 'standard' | 'loadtest' }
  | { readonly kind: 'operator'; readonly keyId: number; readonly name: string }
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
  return principal.kind === 'customer' ? `client:${principal.clientId}` : `key:${principal.keyId}`;
}
