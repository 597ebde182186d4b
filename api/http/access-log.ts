import { clientKey, principalKey } from '../auth/principal.ts';
import type { AccessEntry } from '../logs/access-line.ts';
import type { SecurityEntry } from '../logs/security-line.ts';
import { Exchange, requestIdFrom, type ApiMiddleware } from './exchange.ts';
import type { InFlight } from './shed-load.ts';
import { clientAddress } from './trusted-proxies.ts';

export type AccessLogDeps = {
  readonly inFlight: InFlight;
  readonly isTrustedProxy: (address: string) => boolean;
  readonly writeAccess: (entry: AccessEntry) => void;
  readonly writeSecurity: (entry: SecurityEntry) => void;
  /** Counts the request in the metrics. `route` is a pattern, never a path, so that the number of series is bounded. */
  readonly observe: (method: string, route: string, status: number, seconds: number) => void;
};

/** Outermost: opens the exchange, and records it once it is answered or given up. */
export function accessLog({ inFlight, isTrustedProxy, writeAccess, writeSecurity, observe }: AccessLogDeps): ApiMiddleware {
  return async (ctx, next) => {
    const { req } = ctx;
    const forwardedFor = req.headers['x-forwarded-for'] as string | undefined;
    const ip = clientAddress(req.socket.remoteAddress ?? '', forwardedFor, isTrustedProxy);
    const exchange = new Exchange(requestIdFrom(req.headers['x-request-id']), ip, req.url ?? '/');
    ctx.state = exchange;
    inFlight.enter();
    try {
      await next();
    } finally {
      inFlight.leave();
      const method = req.method ?? '';
      const route = exchange.route?.path;
      const durationMs = performance.now() - exchange.startedAt;
      observe(method, route ?? 'unmatched', exchange.status, durationMs / 1000);
      writeAccess({
        requestId: exchange.requestId,
        method,
        path: exchange.path,
        route,
        status: exchange.status,
        durationMs,
        bytes: exchange.bytes,
        ip,
        principal: principalKey(exchange.principal),
      });
      for (const entry of securityEntries(exchange, method)) writeSecurity(entry);
    }
  };
}

function securityEntries({ noted, aimedAt, principal, requestId: id, ip, route, status }: Exchange, method: string): SecurityEntry[] {
  if (!noted) return [];
  const request = { id, ip, method, route: route?.path, status };
  return [...noted].map(([event, account]) => ({
    event,
    account: account === undefined ? undefined : clientKey(account),
    aimedAt,
    principal: principalKey(principal),
    request,
  }));
}
