import type { ApiMiddleware } from './exchange.ts';
import { send } from './send.ts';

const allowedMethods = 'GET, HEAD, POST, PUT, PATCH, DELETE';
const allowedHeaders = 'Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-API-Key, X-Request-ID';
const exposedHeaders =
  'ETag, Idempotency-Replayed, Location, RateLimit, RateLimit-Policy, Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-ID, X-Response-Time';

/** Lets pages of the listed origins call the API; for others no header is sent, and their browser refuses. */
export function cors(origins: readonly string[]): ApiMiddleware {
  const allowed = new Set(origins);
  return (ctx, next) => {
    const { req, state } = ctx;
    const { origin } = req.headers;
    if (allowed.size > 0) state.headers.push('Vary', 'Origin');
    if (origin === undefined) return next();
    const isAllowed = allowed.has(origin);
    if (isAllowed) state.headers.push('Access-Control-Allow-Origin', origin, 'Access-Control-Expose-Headers', exposedHeaders);
    if (req.method !== 'OPTIONS' || req.headers['access-control-request-method'] === undefined) return next();
    if (isAllowed) {
      state.headers.push('Access-Control-Allow-Methods', allowedMethods, 'Access-Control-Allow-Headers', allowedHeaders);
      state.headers.push('Access-Control-Max-Age', '600');
    }
    send(ctx, { status: 204 });
    return Promise.resolve();
  };
}
