import type { Principal } from '../auth/principal.ts';
import { ApiError } from '../errors.ts';

/** Whose orders a caller may see: its own, or with undefined everyone's. Pure. */
export function visibleClient(principal: Principal): number | undefined {
  return principal.kind === 'customer' ? principal.clientId : undefined;
}

/**
 * Operators order for anyone, customers for themselves; the same goes for asking about one client's orders. Pure.
 * @throws forbidden
 */
export function assertMayActFor(principal: Principal, clientId: number): void {
  const own = visibleClient(principal);
  if (own === undefined || own === clientId) return;
  throw new ApiError('forbidden', 'Orders of another client are not yours to see or place.', {
    errors: [{ pointer: '/client_id', message: 'is another client' }],
  });
}
