import type { ApiMiddleware } from './exchange.ts';
import { send } from './send.ts';

const allowedMethods = 'GET, HEAD, POST, PUT, PATCH, DELETE';
/** `tracestate` goes beside `traceparent` in every client that traces; a browser asks leave for both. */
const allowedHeaders =
  'Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Traceparent, Tracestate, X-API-Key, X-Request-ID';
const exposedHeaders =
  'Allow, ETag, Idempotency-Replayed, Link, Location, RateLimit, RateLimit-Policy, Retry-After, Server-Timing, Traceresponse, WWW-Authenticate, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-ID, X-Response-Time';

/** Names and values in turn of the headers by which a browser shows an answer to a page of that origin, or keeps it from it. */
export function corsHeaders(origins: readonly string[]): (origin: string | undefined) => readonly string[] {
  const allowed = new Set(origins);
  const common = allowed.size > 0 ? ['Vary', 'Origin'] : [];
  return (origin) =>
    origin === undefined || !allowed.has(origin)
      ? common
      : [...common, 'Access-Control-Allow-Origin', origin, 'Access-Control-Expose-Headers', exposedHeaders];
}

/** Lets pages of the listed origins call the API; for others no header is sent, and their browser refuses. */
export function cors(origins: readonly string[]): ApiMiddleware {
  const headersFor = corsHeaders(origins);
  return (ctx, next) => {
    const { req, state } = ctx;
    const { origin } = req.headers;
    state.headers.push(...headersFor(origin));
    if (origin === undefined) return next();
    const isAllowed = origins.includes(origin);
    if (req.method !== 'OPTIONS' || req.headers['access-control-request-method'] === undefined) return next();
    if (isAllowed) {
      state.headers.push('Access-Control-Allow-Methods', allowedMethods, 'Access-Control-Allow-Headers', allowedHeaders);
      state.headers.push('Access-Control-Max-Age', '600');
    }
    send(ctx, { status: 204 });
    return Promise.resolve();
  };
}
