import type { IncomingHttpHeaders } from 'node:http';
import { anonymous, type Admit, type Principal } from '../auth/principal.ts';
import { ApiError } from '../errors.ts';
import type { ApiContext, ApiMiddleware } from './exchange.ts';
import type { Count } from './rate-limit.ts';

/** What can prove a principal; the parts of `auth/` that requests need. */
export type Credentials = {
  readonly tokens: { readonly verify: (token: string, admit: Admit) => Promise<Principal | undefined> };
  readonly apiKeys: { readonly authenticate: (key: string, admit: Admit) => Promise<Principal | undefined> };
};

/** The prefix of API keys this system makes; a bearer credential that starts with it is a key, not a token. */
const apiKeyPrefix = 'atk_';

/**
 * Who makes the request. No credential is anonymous; one that proves nothing is an error, also on public routes, since
 * the caller believes to be known.
 */
async function authenticateHeaders(headers: IncomingHttpHeaders, credentials: Credentials, admit: Admit): Promise<Principal> {
  const { authorization } = headers;
  const apiKey = headers['x-api-key'];
  if (apiKey !== undefined) return proved(await credentials.apiKeys.authenticate(String(apiKey), admit), 'X-API-Key');
  if (authorization === undefined) return anonymous;
  const bearer = /^Bearer +([^\s]+) *$/i.exec(authorization)?.[1];
  if (bearer === undefined) throw new ApiError('unauthenticated', 'Authorization must be of the form "Bearer <token>".');
  if (bearer.startsWith(apiKeyPrefix)) return proved(await credentials.apiKeys.authenticate(bearer, admit), 'API key');
  return proved(await credentials.tokens.verify(bearer, admit), 'access token');
}

function proved(principal: Principal | undefined, credential: string): Principal {
  if (principal === undefined) throw new ApiError('unauthenticated', `The ${credential} is unknown, expired or revoked.`);
  return principal;
}

/**
 * Proves the principal, before the rate limit because the limit counts by it; where that takes a question to the database,
 * `count` has let the request pass first. A wrong credential is refused only by `authorize`, after the limit has counted
 * the request by its address, so that guessing is limited too.
 */
export function authenticate(credentials: Credentials, count: Count): ApiMiddleware {
  return async (ctx, next) => {
    const { headers } = ctx.req;
    if (headers.authorization === undefined && headers['x-api-key'] === undefined) return next();
    try {
      ctx.state.principal = await admitted(ctx, count, (admit) => authenticateHeaders(headers, credentials, admit));
    } catch (err) {
      if (!(err instanceof ApiError) || err.code !== 'unauthenticated') throw err;
      ctx.state.credentialRefusal = err;
    }
    return next();
  };
}

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
