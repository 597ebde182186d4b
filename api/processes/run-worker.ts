import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Server } from 'node:http';
import type { Redis } from 'ioredis';
import type { Pool } from 'pg';
import type { Logger } from '#lib/logger.ts';
import { closeInOrder } from '#lib/shutdown.ts';
import { createApp } from '../app.ts';
import { createActiveClients, createTokens } from '../auth/tokens.ts';
import { createApiKeys } from '../auth/api-keys.ts';
import { createKnownAddresses } from '../auth/known-addresses.ts';
import { createPasswordResets, type PasswordResets } from '../auth/password-resets.ts';
import { createPasswords } from '../auth/passwords.ts';
import { createRedisClient } from '../limiter/redis-client.ts';
import type { ApiConfig } from '../config.ts';
import { createPool, createProbe, limitPool, poolBounds } from '../db/pool.ts';
import { createDatabase } from '../db/tx.ts';
import { createHealthCheck } from '../health/health-check.ts';
import { isHealthPath } from '../health/health-routes.ts';
import { corsHeaders } from '../http/cors.ts';
import { InFlight, shedLoad } from '../http/shed-load.ts';
import { createTrust } from '../http/trusted-proxies.ts';
import { createLimiter } from '../limiter/create-limiter.ts';
import type { ApiLogs } from '../logs/api-logs.ts';
import { watchEventLoop } from '../observe/event-loop.ts';
import { watchLoopWait, watchPoolWait } from '../observe/expected-wait.ts';
import { addGauges, createMetrics, type Metrics } from '../observe/metrics.ts';
import { timePool, timesOfRequest } from '../observe/request-timing.ts';
import { createTraceOf } from '../observe/trace-context.ts';
import { createRoutes } from '../shop/routes.ts';
import { createHttpServer, drainServer } from './http-server.ts';
import { deliverMails, exportSpans } from './outgoing.ts';
import { listen } from '#lib/listen.ts';
import type { WorkerLink } from './channel.ts';

export type WorkerDeps = {
  readonly config: ApiConfig;
  readonly link: WorkerLink;
  readonly logs: ApiLogs;
  readonly version: string;
  /** Resolves when the worker shall finish what it accepted and end. */
  readonly stop: Promise<void>;
};

const beatEveryMs = 1_000;
const drainLimits = { lingerMs: 300, maxLingerMs: 2_000, quietMs: 100 };
/** Passwords are hashed in the thread pool, which also resolves names and writes logs; half of its four threads stay free. */
const passwordConcurrency = 2;
const redisReadyWithinMs = 2_000;

/**
 * Runs one worker: opens what it needs, listens, and ends once it is told to.
 * @returns whether everything it had accepted was answered
 * @throws {ConfigError} when it cannot listen
 */
export async function runWorker({ config, link, logs, version, stop }: WorkerDeps): Promise<boolean> {
  const { logger } = logs;
  const pool = createPool(config, 'atalaya-api');
  const probe = createProbe(config);
  const redis = config.REDIS_ENABLED ? createRedisClient(config, logger) : undefined;
  if (redis) await Promise.race([once(redis, 'ready').catch(() => undefined), sleep(redisReadyWithinMs)]);
  const inFlight = new InFlight();
  let isDraining = false;
  const resets = createPasswordResets(config.AUTH_TOKEN_SECRET);
  const mail = deliverMails(config, { pool, resets, logger });
  const spans = exportSpans(config, version, logger);
  const isDrainingNow = (): boolean => isDraining;
  const parts = { config, link, logs, version, pool, probe, redis, resets, mail, spans, inFlight, isDraining: isDrainingNow };
  const { server, collect } = buildServer(parts);

  link.listen({ collect, reopenLogs: logs.reopen, limitPool: (max) => limitPool(pool, config, max) });
  const address = { host: config.API_HOST, port: config.API_PORT, hostVariable: 'API_HOST', portVariable: 'API_PORT' };
  await listen(server, address, { isShared: true });
  link.send({ kind: 'ready' });
  const beat = setInterval(() => link.send({ kind: 'beat' }), beatEveryMs);

  await stop;
  isDraining = true;
  clearInterval(beat);
  const isClean = await drainServer(server, inFlight, {
    deadlineMs: config.DRAIN_TIMEOUT * 1_000,
    ...drainLimits,
  });
  if (!isClean) logger.error({ in_flight: inFlight.count }, 'requests were cut off: they took longer than DRAIN_TIMEOUT');
  await closeParts(parts, logger);
  return isClean;
}

type Parts = Omit<WorkerDeps, 'stop'> & {
  readonly pool: Pool;
  readonly probe: Pool;
  readonly redis: Redis | undefined;
  readonly resets: PasswordResets;
  readonly mail: ReturnType<typeof deliverMails>;
  readonly spans: ReturnType<typeof exportSpans>;
  readonly inFlight: InFlight;
  readonly isDraining: () => boolean;
};

function buildServer(parts: Parts): {
  server: Server;
  collect: Metrics['collect'];
} {
  const { config, link, logs, pool, probe, redis, resets, mail, spans, inFlight, isDraining } = parts;
  const metrics = createMetrics();
  const loop = watchEventLoop();
  timePool(pool, metrics.acquire);
  const limiter = createLimiter({ link, redis, logger: logs.logger, onFallback: metrics.limiterFallback });
  addGauges(metrics, {
    pool,
    loop,
    inFlight: () => inFlight.count,
    limiterStore: limiter.store,
    logLinesDropped: logs.dropped,
    spansDropped: () => spans?.counts().dropped ?? 0,
  });

  const apiKeys = createApiKeys(pool);
  const database = createDatabase(pool, { timesOf: timesOfRequest });
  const tokens = createTokens(config.AUTH_TOKEN_SECRET, config.AUTH_TOKEN_TTL, createActiveClients(database.read));
  const passwords = createPasswords({ concurrency: passwordConcurrency });
  const knownAddresses = createKnownAddresses(config.AUTH_TOKEN_SECRET);
  const app = createApp({
    settings: config,
    routes: createRoutes({ tokens, passwords, sessionSeconds: config.AUTH_SESSION_TTL, resets, knownAddresses, mail }),
    database,
    credentials: { tokens, apiKeys },
    limiter,
    knownAddresses,
    health: createHealthCheck({
      pool,
      probe,
      configuredMax: poolBounds(config).max,
      redis,
      limiterStore: limiter.store,
      version: parts.version,
    }),
    logger: logs.logger,
    writeAccess: logs.access,
    writeSecurity: logs.security,
    traceOf: createTraceOf(spans && config.OTEL_TRACES_SAMPLER_ARG),
    exportSpan: spans?.add,
    observer: metrics,
    inFlight,
    isDraining,
  });
  return { server: createHttpServer(doorOf(parts, metrics)(app.callback()), logs.access), collect: metrics.collect };
}

/** Stands before the application: what cannot be done in time does not reach it. */
function doorOf({ config, pool, inFlight, isDraining }: Parts, metrics: Metrics): ReturnType<typeof shedLoad> {
  const [poolWait, loopWait] = [watchPoolWait(pool), watchLoopWait(() => inFlight.departed)];
  return shedLoad({
    isDraining,
    load: () => ({
      inFlight: inFlight.count,
      loopWaitMs: loopWait.waitMs(inFlight.count),
      poolWaiting: pool.waitingCount,
      poolMax: pool.options.max,
      poolWaitMs: poolWait(),
    }),
    isExempt: isHealthPath,
    isProxy: createTrust(config.TRUSTED_PROXIES),
    corsHeaders: corsHeaders(config.CORS_ORIGINS),
    onShed: (reason, method) => {
      metrics.shed(reason);
      metrics.request(method, 'unmatched', 503, 0);
    },
  });
}

async function closeParts({ mail, spans, pool, probe, redis }: Parts, logger: Logger): Promise<void> {
  const closers = [
    { name: 'traces', close: () => spans?.stop() },
    { name: 'mail', close: () => mail?.stop() },
    { name: 'database pool', close: () => pool.end() },
    { name: 'health probe', close: () => probe.end() },
    { name: 'redis', close: () => redis?.disconnect() },
  ];
  await closeInOrder(closers, 2_000, logger);
}
