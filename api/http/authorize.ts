import type { Principal } from '../auth/principal.ts';
import { ApiError } from '../errors.ts';
import type { ApiMiddleware } from './exchange.ts';
import type { Access, Write } from './route.ts';

/** Whether a principal may call a route at all: `allowed`, or why not. Pure. */
export function accessDecision(
  access: Access,
  principal: Principal,
  write: Write = 'nothing',
): 'allowed' | 'unauthenticated' | 'forbidden' {
  if (principal.kind === 'operator' && principal.isReadOnly && write !== 'nothing') return 'forbidden';
  if (access === 'public') return 'allowed';
  if (principal.kind === 'anonymous') return 'unauthenticated';
  return access.includes(principal.kind) ? 'allowed' : 'forbidden';
}

/** Denies by default: only whom the route names may pass, and nobody with a credential that proves nothing. */
export const authorize: ApiMiddleware = (ctx, next) => {
  const { credentialRefusal, principal, route } = ctx.state;
  if (credentialRefusal) throw credentialRefusal;
  const decision = accessDecision(route?.access ?? [], principal, route?.write);
  if (decision === 'unauthenticated') throw new ApiError('unauthenticated', 'This needs an access token or an API key.');
  if (decision === 'forbidden' && principal.kind !== 'customer') ctx.state.note('key_scope_refused');
  if (decision === 'forbidden') throw new ApiError('forbidden', 'This credential may not do this.');
  return next();
};
