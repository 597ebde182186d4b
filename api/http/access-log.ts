import { clientKey, isLoadTest, principalKey } from '../auth/principal.ts';
import type { AccessEntry } from '../logs/access-line.ts';
import type { SecurityEntry } from '../logs/security-line.ts';
import { traceText, type Trace, type TraceOf } from '../observe/trace-context.ts';
import type { Span } from '../observe/otlp-exporter.ts';
import { Exchange, requestIdFrom, type ApiMiddleware } from './exchange.ts';
import type { InFlight } from './shed-load.ts';
import { clientAddress } from './trusted-proxies.ts';

export type AccessLogDeps = {
  readonly inFlight: InFlight;
  readonly isTrustedProxy: (address: string) => boolean;
  readonly writeAccess: (entry: AccessEntry) => void;
  readonly writeSecurity: (entry: SecurityEntry) => void;
  readonly traceOf: TraceOf;
  /** Takes the spans of traces that are sampled; undefined: nothing collects them. */
  readonly exportSpan: ((span: Span) => void) | undefined;
  /** Counts the request in the metrics. `route` is a pattern, never a path, so that the number of series is bounded. */
  readonly observe: (method: string, route: string, status: number, seconds: number, isLoadTest: boolean) => void;
};

/** Outermost: opens the exchange, and records it once it is answered or given up. */
export function accessLog({
  inFlight,
  isTrustedProxy,
  writeAccess,
  writeSecurity,
  traceOf,
  exportSpan,
  observe,
}: AccessLogDeps): ApiMiddleware {
  return (ctx, next) => {
    const { req } = ctx;
    const forwardedFor = req.headers['x-forwarded-for'] as string | undefined;
    const ip = clientAddress(req.socket.remoteAddress ?? '', forwardedFor, isTrustedProxy);
    const trace = traceOf(req.headers['traceparent'] as string | undefined);
    const exchange = new Exchange(requestIdFrom(req.headers['x-request-id']), ip, req.url ?? '/', trace);
    if (trace.parentId !== undefined) exchange.headers.push('Traceresponse', traceText(trace));
    ctx.state = exchange;
    inFlight.enter();
    const record = (): void => {
      inFlight.leave();
      const method = req.method ?? '';
      const route = exchange.route?.path;
      const durationMs = performance.now() - exchange.startedAt;
      observe(method, route ?? 'unmatched', exchange.status, durationMs / 1000, isLoadTest(exchange.principal));
      writeAccess({
        requestId: exchange.requestId,
        traceId: trace.traceId,
        spanId: trace.spanId,
        method,
        path: exchange.path,
        route,
        status: exchange.status,
        durationMs,
        bytes: exchange.bytes,
        ip,
        principal: principalKey(exchange.principal),
      });
      if (trace.isSampled) exportSpan?.(spanOf(exchange, trace, { method, durationMs }));
      for (const entry of securityEntries(exchange, method)) writeSecurity(entry);
    };
    return next().then(record, (err: unknown) => {
      record();
      throw err;
    });
  };
}

function securityEntries(
  { noted, aimedAt, principal, requestId: id, trace, ip, route, status }: Exchange,
  method: string,
): SecurityEntry[] {
  if (!noted) return [];
  const request = { id, traceId: trace?.traceId, ip, method, route: route?.path, status };
  return [...noted].map(([event, account]) => ({
    event,
    account: account === undefined ? undefined : clientKey(account),
    aimedAt,
    principal: principalKey(principal),
    request,
  }));
}

type Timed = { readonly method: string; readonly durationMs: number };

/** Neither query nor address nor who asked: what goes to a collector may go to others. */
function spanOf(
  { route, path, status, startedAt, requestId }: Exchange,
  { traceId, spanId, parentId }: Trace,
  { method, durationMs }: Timed,
): Span {
  return {
    name: route ? `${method} ${route.path}` : method,
    traceId,
    spanId,
    parentId,
    startMs: performance.timeOrigin + startedAt,
    durationMs,
    isError: status >= 500,
    attributes: {
      'http.request.method': method,
      'http.response.status_code': status,
      'url.path': path,
      ...(route && { 'http.route': route.path }),
      'atalaya.request_id': requestId,
    },
  };
}
