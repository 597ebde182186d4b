import type { ApiContext } from './exchange.ts';

export type Answer = {
  readonly status: number;
  /** Absent: no body, as with 204 and 304. */
  readonly body?: string;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
};

/** Set once the process drains: every answer then closes its connection. */
export type ConnectionPolicy = { readonly isDraining: () => boolean };

/**
 * Writes the answer, past Koa's own responder: the header list goes out in one piece, which at these rates is much of
 * what a framework costs. The first answer counts; when the client has gone, nothing is written and 499 is noted.
 */
export function send(ctx: ApiContext, answer: Answer, connections: ConnectionPolicy): void {
  const { res, state } = ctx;
  ctx.respond = false;
  if (res.headersSent) return;
  if (res.destroyed) {
    state.status = 499;
    return;
  }
  const { status, body, headers } = answer;
  const lines = state.headers;
  lines.push('X-Request-ID', state.requestId, 'X-Response-Time', `${(performance.now() - state.startedAt).toFixed(2)}ms`);
  if (headers) for (const name of Object.keys(headers)) lines.push(name, headers[name] as string);
  if (state.timing) lines.push('Server-Timing', state.timing.header());
  if (connections.isDraining() && headers?.['Connection'] === undefined) lines.push('Connection', 'close');
  state.status = status;
  if (body === undefined) {
    if (status !== 204 && status !== 304) lines.push('Content-Length', '0');
    res.writeHead(status, lines).end();
    return;
  }
  state.bytes = Buffer.byteLength(body);
  lines.push('Content-Type', answer.contentType ?? 'application/json', 'Content-Length', String(state.bytes));
  lines.push('X-Content-Type-Options', 'nosniff');
  res.writeHead(status, lines).end(body);
}
