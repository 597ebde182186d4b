import Koa from 'koa';
import type { ApiContext, ApiExtras, Exchange } from './exchange.ts';

/**
 * Koa without its responder and its listeners for the end of every answer: `send` answers, and the server itself notices
 * broken sockets. Under load those are a good part of what Koa costs; see docs/decisions/007.
 */
export class LeanKoa extends Koa<Exchange, ApiExtras> {
  /** Whether the process is about to end: every answer then closes its connection. */
  readonly isDraining: () => boolean;

  constructor(isDraining: () => boolean) {
    super({ compose: inOrder } as object);
    this.isDraining = isDraining;
    for (const prototype of [this.context, this.response]) {
      Object.defineProperty(prototype, 'body', {
        get: () => undefined,
        set: () => {
          throw new TypeError('ctx.body is never sent: answer with send(ctx, …)');
        },
      });
    }
  }

  /** Takes the place of Koa's own method of this name, which `callback()` calls for each request. */
  handleRequest(ctx: ApiContext, run: (ctx: ApiContext) => Promise<void>): Promise<void> {
    const check = (): void => {
      if (ctx.respond !== false) throw new TypeError('no middleware answered the request: each path must end in send(ctx, …)');
    };
    return run(ctx)
      .then(check)
      .catch((err: unknown) => {
        this.emit('error', err, ctx);
        // Whatever went wrong, nobody is left waiting.
        if (!ctx.res.headersSent) ctx.res.writeHead(500).end();
      });
  }
}

type Next = () => Promise<void>;
type Middleware = (ctx: ApiContext, next: Next) => Promise<void>;

/**
 * What koa-compose does, without its check that nobody calls `next` twice and without a promise for each middleware that needs none.
 * `next` never throws: what a middleware throws, it rejects with.
 */
function inOrder(middleware: readonly Middleware[]): (ctx: ApiContext) => Promise<void> {
  const from = (ctx: ApiContext, index: number): Promise<void> => {
    try {
      return middleware[index]?.(ctx, () => from(ctx, index + 1)) ?? atEnd;
    } catch (err) {
      return Promise.reject(err);
    }
  };
  return (ctx) => from(ctx, 0);
}

const atEnd = Promise.resolve();

export type Answer = {
  readonly status: number;
  /** Absent: no body, as with 204 and 304. */
  readonly body?: string | undefined;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
};

/**
 * Writes the answer, past Koa's own responder: the header list goes out in one piece, which at these rates is much of
 * what a framework costs. The first answer counts; when the client has gone, nothing is written and 499 is noted.
 */
export function send(ctx: ApiContext, { status, body, headers, contentType = 'application/json' }: Answer): void {
  const { res, state } = ctx;
  ctx.respond = false;
  if (res.headersSent) return;
  if (res.destroyed) {
    state.status = 499;
    return;
  }
  const lines = state.headers;
  lines.push('X-Request-ID', state.requestId, 'X-Response-Time', `${(performance.now() - state.startedAt).toFixed(2)}ms`);
  if (headers) for (const name of Object.keys(headers)) lines.push(name, headers[name] as string);
  if (headers?.['Cache-Control'] === undefined && !isForEveryone(state, status)) lines.push('Cache-Control', 'no-store');
  if (state.timing) lines.push('Server-Timing', state.timing.header());
  if (ctx.app.isDraining() && headers?.['Connection'] === undefined) lines.push('Connection', 'close');
  state.status = status;
  if (body === undefined) {
    if (status !== 204 && status !== 304) lines.push('Content-Length', '0');
    res.writeHead(status, lines).end();
    return;
  }
  state.bytes = Buffer.byteLength(body);
  lines.push('Content-Type', contentType, 'Content-Length', String(state.bytes), 'X-Content-Type-Options', 'nosniff');
  // Of as many bytes as characters, it is ASCII, which need not be encoded.
  res.writeHead(status, lines).end(body, state.bytes === body.length ? 'latin1' : 'utf8');
}

/** A cache may not know that X-API-Key makes an answer private, nor for how long a refusal holds. */
const isForEveryone = ({ route }: Exchange, status: number): boolean =>
  status < 400 && (route === undefined || (route.access === 'public' && route.method === 'GET'));
