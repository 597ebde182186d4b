import type { Principal } from '../auth/principal.ts';
import { ApiError } from '../errors.ts';

/**
 * Operators see every client, a customer only itself. Pure.
 * @throws not_found for another's client, so that nobody learns which ids exist
 */
export function assertMaySeeClient(principal: Principal, clientId: number): void {
  if (principal.kind === 'customer' && principal.clientId !== clientId) throw new ApiError('not_found', 'The client does not exist.');
}
