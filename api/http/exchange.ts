import { randomUUID } from 'node:crypto';
import type Koa from 'koa';
import { anonymous, type Principal } from '../auth/principal.ts';
import type { ApiError } from '../errors.ts';
import type { Trace } from '../observe/trace-context.ts';
import type { SecurityEvent } from '../logs/security-line.ts';
import type { RequestTiming } from '../observe/request-timing.ts';
import type { Taken } from './rate-policy.ts';
import type { Route } from './route.ts';

/** What the middleware know of one request and its answer; it is `ctx.state`. */
export class Exchange {
  readonly requestId: string;
  readonly trace: Trace | undefined;
  /** `performance.now()` when the headers had arrived. */
  readonly startedAt = performance.now();
  /** Address of the client, past trusted proxies. */
  readonly ip: string;
  /** Path without query, as sent. */
  readonly path: string;
  /** Query without `?`, as sent; empty without one. */
  readonly search: string;
  /** Names and values in turn. Headers set here stand in every answer, problems included. */
  readonly headers: string[] = [];
  principal: Principal = anonymous;
  /** Why the credential sent proves nothing; the principal then stays anonymous. */
  credentialRefusal: ApiError | undefined = undefined;
  /** As whom the rate limit has counted the request, and what it said. */
  countedAs: string | undefined = undefined;
  taken: Taken | undefined = undefined;
  route: Route | undefined = undefined;
  params: Readonly<Record<string, string>> = noParams;
  /** As in the Allow header, where the path exists but not for this method. */
  allowed: string | undefined = undefined;
  /** Keyed digest of what the request aims at, such as an e-mail address. */
  aimedAt: string | undefined = undefined;
  /** For security.log; undefined where nothing happened. */
  noted: Map<SecurityEvent, number | undefined> | undefined = undefined;
  /** Set where the caller may see Server-Timing. */
  timing: RequestTiming | undefined = undefined;
  /** Of the answer: 0 until it is given, 499 when the client has gone. */
  status = 0;
  bytes = 0;

  constructor(requestId: string, ip: string, url: string, trace?: Trace) {
    this.trace = trace;
    this.requestId = requestId;
    this.ip = ip;
    const queryAt = url.indexOf('?');
    this.path = queryAt < 0 ? url : url.slice(0, queryAt);
    this.search = queryAt < 0 ? '' : url.slice(queryAt + 1);
  }

  /**
   * Keeps an event for security.log until the request is answered: once, however often its transaction is tried.
   * @param account the client it concerns, where one is known
   */
  note(event: SecurityEvent, account?: number): void {
    (this.noted ??= new Map()).set(event, account);
  }
}

const noParams: Readonly<Record<string, string>> = Object.freeze({});

/** What the API's Koa adds to every context. */
export type ApiExtras = { readonly app: { readonly isDraining: () => boolean } };
export type ApiContext = Koa.ParameterizedContext<Exchange, ApiExtras>;
export type ApiMiddleware = Koa.Middleware<Exchange, ApiExtras>;

/** The caller's X-Request-ID when it is safe to log and to echo, else a new UUID. */
export function requestIdFrom(header: string | string[] | undefined): string {
  return typeof header === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(header) ? header : randomUUID();
}
