import type { Principal } from '../auth/principal.ts';
import { NotFoundError } from '../errors.ts';

/**
 * Operators see every client, a customer only itself. Pure.
 * @throws {NotFoundError} for another's client, so that nobody learns which ids exist
 */
export function assertMaySeeClient(principal: Principal, clientId: number): void {
  if (principal.kind === 'customer' && principal.clientId !== clientId) throw new NotFoundError('The client does not exist.');
}
