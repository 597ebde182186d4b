import type { Principal } from '../../auth/principal.ts';
import { runOnce } from '../../db/idempotent.ts';
import { inKnexTransaction } from '../../db/transaction.ts';
import { ApiError } from '../../errors.ts';
import { route, type Reply, type Route } from '../../http/route.ts';
import { idempotencyClaim } from '../../idempotency-claim.ts';
import { created } from '../../http/replies.ts';
import type { ApiServices } from '../services.ts';
import { registrationInput, type RegistrationInput } from './client-schema.ts';
import { presentClient, withToken } from './present-client.ts';
import { registerClient } from './register-client.ts';

/** Anyone may register. A load test gets a token with each client it registers, and may leave the password out. */
export function registrationRoute({ knex, passwords, tokens, idempotencyRequired }: ApiServices): Route {
  return route({
    method: 'POST',
    path: '/clients',
    access: 'public',
    limitClass: 'client_create',
    summary: 'Register',
    body: registrationInput,
    handler: async (request) => {
      const { password, ...personal } = request.body;
      assertPassword(request.body, request.principal);
      const claim = idempotencyClaim(request, idempotencyRequired);
      // Hashing takes long; no transaction waits for it.
      const passwordHash = password === undefined ? null : await passwords.hash(password, request.signal);
      const createdByKeyId = request.principal.kind === 'loadtest' ? request.principal.keyId : null;
      const reply = await inKnexTransaction(knex, (trx, session) =>
        runOnce(session, claim, async () => {
          const client = await registerClient(trx, { ...personal, passwordHash, createdByKeyId });
          return created(`clients/${client.id_key}`, client.version, presentClient(client));
        }),
      );
      return createdByKeyId === null ? reply : addToken(reply, tokens);
    },
  });
}

function assertPassword({ password }: RegistrationInput, principal: Principal): void {
  if (password !== undefined || principal.kind === 'loadtest') return;
  throw new ApiError('validation_failed', 'The body cannot be accepted.', { errors: [{ pointer: '/password', message: 'is required' }] });
}

/** Added after the transaction: what is stored for a repetition must not hold a secret. */
async function addToken(reply: Reply, tokens: ApiServices['tokens']): Promise<Reply> {
  const clientJson = reply.body as string;
  const { id_key: clientId } = JSON.parse(clientJson) as { id_key: number };
  const token = await tokens.issue({ clientId, quota: 'loadtest' });
  return { ...reply, body: withToken(clientJson, token), headers: { ...reply.headers, 'Cache-Control': 'no-store' } };
}
