import type { IncomingHttpHeaders } from 'node:http';
import type { KeyRefusal } from '../auth/api-keys.ts';
import type { Admit, Principal } from '../auth/principal.ts';
import { ApiError } from '../errors.ts';
import type { ApiContext, ApiMiddleware } from './exchange.ts';
import type { Count } from './rate-limit.ts';

/** What can prove a principal; the parts of `auth/` that requests need. */
export type Credentials = {
  readonly tokens: Prover<'verify'>;
  readonly apiKeys: Prover<'authenticate'> & {
    /** Why a key that was looked up a moment ago proves nothing. */
    readonly refusalOf: (key: string) => KeyRefusal;
  };
};

/** `recall` says what memory tells, the other, which may ask, what is true. */
type Prover<Ask extends string> = { readonly recall: (secret: string) => Principal | undefined } & Readonly<
  Record<Ask, (secret: string, admit: Admit) => Promise<Principal | undefined>>
>;

/** The prefix of API keys this system makes; a bearer credential that starts with it is a key, not a token. */
const apiKeyPrefix = 'atk_';

type Sent = { readonly kind: 'key' | 'token'; readonly secret: string; readonly name: string };

/** What is sent to prove who asks; undefined where nothing is. Pure. */
function sentCredential({ authorization, 'x-api-key': apiKey }: IncomingHttpHeaders): Sent | 'malformed' | undefined {
  if (apiKey !== undefined) return { kind: 'key', secret: String(apiKey), name: 'X-API-Key' };
  if (authorization === undefined) return undefined;
  const bearer = /^Bearer +([^\s]+) *$/i.exec(authorization)?.[1];
  if (bearer === undefined) return 'malformed';
  if (bearer.startsWith(apiKeyPrefix)) return { kind: 'key', secret: bearer, name: 'API key' };
  return { kind: 'token', secret: bearer, name: 'access token' };
}

/**
 * Proves the principal, before the rate limit because the limit counts by it; where that takes a question to the database,
 * `count` has let the request pass first. No credential is anonymous; one that proves nothing is an error, also on public
 * routes, since the caller believes to be known. It is refused only by `authorize`, after the limit has counted the request
 * by its address, so that guessing is limited too.
 */
export function authenticate(credentials: Credentials, count: Count): ApiMiddleware {
  const { tokens, apiKeys } = credentials;
  const askThen = async (ctx: ApiContext, { kind, secret, name }: Sent, next: () => Promise<void>): Promise<void> => {
    const ask = (admit: Admit) => (kind === 'key' ? apiKeys.authenticate(secret, admit) : tokens.verify(secret, admit));
    const principal = await admitted(ctx, count, ask);
    if (principal) {
      ctx.state.principal = principal;
      return next();
    }
    if (kind === 'key') ctx.state.note(keyEvents[apiKeys.refusalOf(secret)]);
    ctx.state.credentialRefusal = refusal(`The ${name} is unknown, expired or revoked.`);
    return next();
  };
  return (ctx, next) => {
    const sent = sentCredential(ctx.req.headers);
    if (sent === undefined) return next();
    if (sent === 'malformed') {
      ctx.state.credentialRefusal = refusal('Authorization must be of the form "Bearer <token>".');
      return next();
    }
    const remembered = (sent.kind === 'key' ? apiKeys : tokens).recall(sent.secret);
    if (remembered === undefined) return askThen(ctx, sent, next);
    ctx.state.principal = remembered;
    return next();
  };
}

const keyEvents = { unknown: 'key_unknown', expired: 'key_expired', revoked: 'key_was_revoked' } as const;

const refusal = (detail: string): ApiError => new ApiError('unauthenticated', detail);

/**
 * Requests with the same credential share one question to the database. When the limit refuses whoever was to ask it, the
 * others are counted by their own addresses, and one of those that pass asks instead.
 */
async function admitted<T>(ctx: ApiContext, count: Count, ask: (admit: Admit) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    let isOwnRefusal = false;
    try {
      return await ask((claimed) => {
        isOwnRefusal = true;
        return count(ctx, claimed);
      });
    } catch (err) {
      const isRefusal = err instanceof ApiError && err.code === 'rate_limited';
      if (!isRefusal || isOwnRefusal || attempt === 3) throw err;
      await count(ctx, undefined);
    }
  }
}
