import { principalKey } from './auth/principal.ts';
import type { IdempotencyClaim } from './db/idempotent.ts';
import { ApiError } from './errors.ts';
import type { RouteRequest } from './http/route.ts';

/**
 * Whose key a POST came with. Callers without a credential share one name: their keys differ in the fingerprint if not
 * in themselves, and no answer to them holds a secret.
 * @throws idempotency_key_invalid when there is none and one is required
 */
export function idempotencyClaim(
  request: Pick<RouteRequest<unknown, unknown, unknown>, 'principal' | 'idempotency'>,
  isRequired: boolean,
): IdempotencyClaim | undefined {
  const { principal, idempotency } = request;
  if (idempotency) return { principal: principalKey(principal) ?? 'anonymous', ...idempotency };
  if (!isRequired) return undefined;
  throw new ApiError('idempotency_key_invalid', 'Idempotency-Key is required.', {
    errors: [{ pointer: 'Idempotency-Key', message: 'is required' }],
  });
}
