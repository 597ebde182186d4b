import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Principal } from '../auth/principal.ts';
import { ApiError, ClientGoneError } from '../errors.ts';
import { withTiming, type RequestTiming } from '../observe/request-timing.ts';
import { isUnchanged, versionFromIfMatch } from './etag.ts';
import type { RateLimit } from './rate-limit.ts';
import type { ApiContext, ApiMiddleware, Exchange } from './exchange.ts';
import { idempotencyOf } from './idempotency.ts';
import { canonicalPath } from './match-route.ts';
import { hasBody, readJsonBody } from './read-body.ts';
import { readQuery, refuseQuery } from './read-query.ts';
import type { IdempotencyRequest, Reply, Route, RouteRequest } from './route.ts';
import { send } from './send.ts';
import { validateInput } from './validate.ts';

export type AnswerDeps = {
  readonly countTarget: RateLimit['countTarget'];
  /** The timing to keep for this caller's request; undefined for those who are not told. */
  readonly timingFor: (principal: Principal, startedAt: number) => RequestTiming | undefined;
};

/** Innermost: reads and checks the input, calls the handler, sends its reply. */
export function answer({ countTarget, timingFor }: AnswerDeps): ApiMiddleware {
  return async (ctx) => {
    const { state, req, res } = ctx;
    const route = state.route as Route;
    const params = readParams(route, state);
    const query = route.query ? validateInput(route.query, readQuery(state.search), 'query') : refuseAnyQuery(state.search);
    const raw = await readRouteBody(route, req);
    const body = validateInput(route.body, raw, 'body');
    if (route.limitTarget) await countTarget(ctx, route.limitTarget(body));
    const request = new HandlerRequest(state, res, { params, query, body }, conditionsOf(route, state, req, raw));
    const timing = timingFor(state.principal, state.startedAt);
    state.timing = timing;
    const reply = timing ? await withTiming(timing, () => route.handler(request)) : await route.handler(request);
    sendReply(ctx, reply);
  };
}

function readParams(route: Route, state: Exchange): unknown {
  for (const [name, value] of Object.entries(state.params)) {
    if (value.includes('\0'))
      throw new ApiError('validation_failed', 'The path cannot be accepted.', { errors: [{ pointer: name, message: 'is not valid' }] });
  }
  return validateInput(route.params, state.params, 'params');
}

function refuseAnyQuery(search: string): undefined {
  if (search !== '') refuseQuery(search);
}

async function readRouteBody(route: Route, req: IncomingMessage): Promise<unknown> {
  if (route.body) return readJsonBody(req);
  if (hasBody(req)) {
    const message = 'This route takes no body.';
    throw new ApiError('validation_failed', message, { errors: [{ pointer: '', message }] });
  }
  return undefined;
}

type Conditions = { readonly ifMatch: number | undefined; readonly idempotency: IdempotencyRequest | undefined };
const unconditional: Conditions = { ifMatch: undefined, idempotency: undefined };

/** The fingerprint is of the body as sent, so that a default added later does not make an old request a new one. */
function conditionsOf(route: Route, { path }: Exchange, req: IncomingMessage, rawBody: unknown): Conditions {
  if (route.method === 'GET') return unconditional;
  const key = route.method === 'POST' ? (req.headers['idempotency-key'] as string | undefined) : undefined;
  return {
    ifMatch: versionFromIfMatch(req.headers['if-match']),
    idempotency: idempotencyOf(key, route.method, canonicalPath(path), rawBody),
  };
}

class HandlerRequest implements RouteRequest<unknown, unknown, unknown> {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly principal: Principal;
  readonly requestId: string;
  readonly ifMatch: number | undefined;
  readonly idempotency: IdempotencyRequest | undefined;
  readonly #res: ServerResponse;
  #gone: AbortController | undefined = undefined;

  constructor(state: Exchange, res: ServerResponse, input: { params: unknown; query: unknown; body: unknown }, conditions: Conditions) {
    this.params = input.params;
    this.query = input.query;
    this.body = input.body;
    this.principal = state.principal;
    this.requestId = state.requestId;
    this.ifMatch = conditions.ifMatch;
    this.idempotency = conditions.idempotency;
    this.#res = res;
  }

  /** Made only for the few handlers that listen to it. */
  get signal(): AbortSignal {
    if (!this.#gone) {
      const gone = new AbortController();
      if (this.#res.destroyed) gone.abort(new ClientGoneError());
      this.#res.once('close', () => {
        if (!this.#res.writableFinished) gone.abort(new ClientGoneError());
      });
      this.#gone = gone;
    }
    return this.#gone.signal;
  }
}

function sendReply(ctx: ApiContext, reply: Reply): void {
  const { status, body, headers } = reply;
  if (status === 200 && isUnchanged(ctx.req.headers['if-none-match'], headers?.['ETag']) && isRead(ctx.req.method)) {
    send(ctx, { status: 304, headers });
    return;
  }
  const text = body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body);
  send(ctx, { status, headers, ...(text === undefined ? {} : { body: text }) });
}

const isRead = (method: string | undefined): boolean => method === 'GET' || method === 'HEAD';
