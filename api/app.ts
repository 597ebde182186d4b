import type { Logger } from '#lib/logger.ts';
import { RequestTiming } from './observe/request-timing.ts';
import type { Span } from './observe/otlp-exporter.ts';
import type { TraceOf } from './observe/trace-context.ts';
import { isLoadTest, type Principal } from './auth/principal.ts';
import type { KnownAddresses } from './auth/known-addresses.ts';
import type { Database } from './db/tx.ts';
import { healthRoutes } from './health/health-routes.ts';
import type { HealthCheck } from './health/health-check.ts';
import { accessLog } from './http/access-log.ts';
import { answer } from './http/answer.ts';
import { authenticate, type Credentials } from './http/authenticate.ts';
import { authorize } from './http/authorize.ts';
import { cors } from './http/cors.ts';
import { errorBody } from './http/error-body.ts';
import type { InFlight } from './http/shed-load.ts';
import { createClaims } from './http/idempotency.ts';
import { createKeyTurns } from './http/key-turns.ts';
import { createRouteTable, matchRoute, refuseUnmatched } from './http/match-route.ts';
import { createRateLimit, noRateLimit } from './http/rate-limit.ts';
import { createRatePolicy, type RatePolicySettings } from './http/rate-policy.ts';
import type { Route } from './http/route.ts';
import { LeanKoa } from './http/send.ts';
import { createTrust } from './http/trusted-proxies.ts';
import type { Limiter } from './limiter/limiter.ts';
import { docsPage } from './openapi/docs-page.ts';
import type { AccessEntry } from './logs/access-line.ts';
import type { SecurityEntry } from './logs/security-line.ts';

export type AppSettings = RatePolicySettings & {
  readonly AUTH_TOKEN_SECRET: string;
  readonly IDEMPOTENCY_REQUIRED: boolean;
  readonly IF_MATCH_REQUIRED: boolean;
  readonly CORS_ORIGINS: readonly string[];
  readonly TRUSTED_PROXIES: readonly string[];
};

/** What the chain tells of what it did. */
export type AppObserver = {
  readonly request: (method: string, route: string, status: number, seconds: number) => void;
  readonly limited: (policyName: string) => void;
};

export type AppDeps = {
  readonly settings: AppSettings;
  readonly routes: readonly Route[];
  readonly database: Database;
  readonly credentials: Credentials;
  readonly limiter: Limiter;
  readonly knownAddresses: KnownAddresses;
  readonly health: HealthCheck;
  readonly logger: Logger;
  readonly writeAccess: (entry: AccessEntry) => void;
  readonly writeSecurity: (entry: SecurityEntry) => void;
  readonly traceOf: TraceOf;
  /** Undefined: nothing collects traces. */
  readonly exportSpan: ((span: Span) => void) | undefined;
  readonly observer: AppObserver;
  readonly inFlight: InFlight;
  readonly isDraining: () => boolean;
};

/** The API as a Koa application: the middleware in the order a request passes them. Opens nothing. */
export function createApp(deps: AppDeps): LeanKoa {
  const { settings, inFlight, isDraining, logger, observer } = deps;
  const app = new LeanKoa(isDraining);
  app.use(
    accessLog({
      inFlight,
      isTrustedProxy: createTrust(settings.TRUSTED_PROXIES),
      writeAccess: deps.writeAccess,
      writeSecurity: deps.writeSecurity,
      traceOf: deps.traceOf,
      exportSpan: deps.exportSpan,
      observe: observer.request,
    }),
  );
  app.use(errorBody(logger));
  app.use(cors(settings.CORS_ORIGINS));
  app.use(healthRoutes(deps.health));
  app.use(matchRoute(createRouteTable(deps.routes)));
  const limit = settings.RATE_LIMIT_ENABLED
    ? createRateLimit({
        limiter: deps.limiter,
        policy: createRatePolicy(settings),
        secret: settings.AUTH_TOKEN_SECRET,
        onLimited: observer.limited,
        isKnownAddress: (email, address) => deps.knownAddresses.isKnown(deps.database.read, email, address),
      })
    : noRateLimit;
  app.use(authenticate(deps.credentials, limit.count));
  app.use(limit.middleware);
  app.use(docsPage(deps.routes));
  app.use(refuseUnmatched);
  app.use(authorize);
  const claimOf = createClaims({ secret: settings.AUTH_TOKEN_SECRET, isRequired: settings.IDEMPOTENCY_REQUIRED });
  app.use(
    answer({
      database: deps.database,
      claimOf,
      isIfMatchRequired: settings.IF_MATCH_REQUIRED,
      inKeyTurn: createKeyTurns(),
      countTarget: limit.countTarget,
      timingFor,
    }),
  );
  app.on('error', (err: NodeJS.ErrnoException) => {
    // A client that hangs up while it is answered is its own affair; anything else is a fault in the chain above.
    if (!hangUps.has(err.code ?? '')) logger.error({ err }, 'request left the middleware with an error');
  });
  return app;
}

const hangUps = new Set(['ECONNRESET', 'EPIPE', 'ECANCELED', 'ERR_STREAM_PREMATURE_CLOSE']);

/** Operators and load tests learn where a request's time went; others learn nothing of the inside. */
function timingFor(principal: Principal, startedAt: number): RequestTiming | undefined {
  const isTold = principal.kind === 'operator' || isLoadTest(principal);
  return isTold ? new RequestTiming(startedAt) : undefined;
}
