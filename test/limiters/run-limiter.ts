import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startCommand } from '#lib/run-command.ts';
import type { Declared } from '#loadtest/conformance/exchange.ts';
import { startOwnRedis } from '#loadtest/conformance/own-redis.ts';
import type { Conformance } from '#loadtest/conformance/report.ts';
import { testTarget } from '#loadtest/conformance/test-target.ts';
import { freePorts } from '#loadtest/targets/local-stack.ts';
import type { PublicLimiter } from './limiters.ts';

/** A package of its own, with the limiters and small servers around them. */
export const servers = join(import.meta.dirname, 'servers');

const limit = 10;
const periodMs = 3_000;
/** Processes that share a Redis; a count in memory is of one process. */
const sharing = 3;
const startTimeoutMs = 30_000;

const { dependencies } = JSON.parse(readFileSync(join(servers, 'package.json'), 'utf8')) as {
  dependencies: Readonly<Record<string, string>>;
};

/** `express-rate-limit 8.7.4, rate-limit-redis 6.0.1`. */
export const versionsOf = ({ packages }: PublicLimiter): string => packages.map((name) => `${name} ${dependencies[name]}`).join(', ');

/** Starts a server around a limiter, plays the suite against it, Redis frozen and killed where it has one, and stops all. */
export async function runLimiter(limiter: PublicLimiter, signal: AbortSignal): Promise<Conformance> {
  const redis = limiter.store === 'Redis' ? await startOwnRedis() : undefined;
  const [port] = await freePorts();
  const server = startServer(limiter, port, redis?.port);
  try {
    await untilReady(server);
    const declared: Declared = { limit, periodMs, windows: limiter.windows, identity: 'ip', method: 'GET', path: '/things' };
    const target = {
      name: limiter.name,
      origin: `http://127.0.0.1:${port}`,
      declared,
      trustedProxy: limiter.hasTrustedProxy ? '127.0.0.1' : undefined,
      ...(redis && { store: redis }),
    };
    return await testTarget(target, { signal, onStage: () => {} });
  } finally {
    const ended = server.exitCode === null ? once(server, 'exit') : undefined;
    server.kill('SIGKILL');
    await ended;
    await redis?.stop();
  }
}

type Server = ReturnType<typeof startCommand>;

const startServer = ({ server: [file, start], store }: PublicLimiter, port: number, redisPort: number | undefined): Server =>
  startCommand({
    file: process.execPath,
    args: [join(servers, 'serve.mjs'), file, start],
    env: {
      LIMIT: String(limit),
      PERIOD_MS: String(periodMs),
      PORT: String(port),
      WORKERS: String(store === 'Redis' ? sharing : 1),
      ...(redisPort !== undefined && { REDIS_PORT: String(redisPort) }),
    },
    endsWithParent: true,
  });

async function untilReady(server: Server): Promise<void> {
  let problem = '';
  server.stderr.setEncoding('utf8').on('data', (text: string) => (problem = (problem + text).slice(-2_000)));
  const timeout = AbortSignal.timeout(startTimeoutMs);
  const ended = once(server, 'exit', { signal: timeout }).then(() => {
    throw new Error(`the server ended: ${problem}`);
  });
  const ready = new Promise<void>((resolve) => {
    server.stdout.setEncoding('utf8').on('data', (text: string) => text.includes('ready') && resolve());
  });
  await Promise.race([ready, ended]);
  ended.catch(() => {});
}
