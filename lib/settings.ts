import * as z from 'zod';
import { flag, integer, secret, type RenamedVariables } from './env.ts';

/** Variables two or more programs must agree on. Each shape is spread into the programs that read it. */

const host = z.string().min(1);
const port = integer(1, 65_535);

/** The database every program meets in. */
export const postgresEnv = {
  POSTGRES_HOST: host.default('localhost').describe('Host name or address of PostgreSQL.'),
  POSTGRES_PORT: port.default(5432).describe('TCP port of PostgreSQL.'),
  POSTGRES_DB: z.string().min(1).default('ecommerce').describe('Database name.'),
  POSTGRES_USER: z.string().min(1).default('ecommerce').describe('Role to connect as.'),
  POSTGRES_PASSWORD: secret(z.string()).optional().describe('Password of that role.'),
} satisfies z.ZodRawShape;

/** Connection pool of one API process. Over all processes it must stay under the server's max_connections. */
export const poolEnv = {
  DB_POOL_SIZE: integer(0, 1000).default(10).describe('Connections each API process keeps open.'),
  DB_MAX_OVERFLOW: integer(0, 1000).default(10).describe('Connections a process may open beyond DB_POOL_SIZE; closed again when idle.'),
  DB_POOL_TIMEOUT: integer(1, 300).default(10).describe('Seconds a request waits for a connection before it is answered 503.'),
  DB_POOL_RECYCLE: integer(0, 86_400).default(3600).describe('Seconds after which a connection is replaced; 0 keeps it for ever.'),
} satisfies z.ZodRawShape;

/** Redis is optional: without it the rate limit is counted in the API's primary process. */
export const redisEnv = {
  REDIS_ENABLED: flag().default(false).describe('Use Redis for the rate limit.'),
  REDIS_HOST: host.default('localhost').describe('Host name or address of Redis.'),
  REDIS_PORT: port.default(6379).describe('TCP port of Redis.'),
  REDIS_PASSWORD: secret(z.string()).optional().describe('Password of Redis.'),
  REDIS_CACHE_TTL: z.string().optional().describe('Of older guides, and without effect: nothing is cached, see docs/decisions/021.'),
  REDIS_MAX_CONNECTIONS: integer(1, 1000).default(50).describe('Bound on Redis connections over all API processes.'),
} satisfies z.ZodRawShape;

/** Exact sliding window: RATE_LIMIT_CALLS in any RATE_LIMIT_PERIOD seconds, for each client. */
export const rateLimitEnv = {
  RATE_LIMIT_ENABLED: flag().default(true).describe('Limit the request rate of each client.'),
  RATE_LIMIT_CALLS: integer(0, 1_000_000).default(100).describe('Requests a client may make in one period.'),
  RATE_LIMIT_PERIOD: integer(1, 86_400).default(60).describe('Length of the period in seconds.'),
} satisfies z.ZodRawShape;

/** Where the API listens; the monitor, the load test and the deployment meet it there. */
export const apiAddressEnv = {
  API_HOST: host.default('127.0.0.1').describe('Address the API listens on.'),
  API_PORT: port.default(8000).describe('Port the API listens on.'),
  ADMIN_HOST: host.default('127.0.0.1').describe('Address of the admin listener; loopback or an internal network only.'),
  ADMIN_PORT: port.default(9000).describe('Port of the admin listener: /metrics, /config, POST /logs/reopen, POST /drain.'),
  ADMIN_TOKEN: secret(z.string().min(16, 'must have at least 16 characters'))
    .optional()
    .describe('Bearer token the admin listener demands; unset, it answers nothing but /livez.'),
  METRICS_TOKEN: secret(z.string().min(16, 'must have at least 16 characters'))
    .optional()
    .describe('Bearer token that opens /metrics of the admin listener and nothing else, for the monitor and Prometheus.'),
} satisfies z.ZodRawShape;

export const logEnv = {
  LOG_LEVEL: z
    .string()
    .toLowerCase()
    .transform((level) => (level === 'warning' ? 'warn' : level === 'critical' ? 'fatal' : level))
    .pipe(
      z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'must be trace, debug, info, warn, error, fatal or silent'),
    )
    .default('info')
    .describe('Least severe level that is logged.'),
  LOG_FORMAT: z
    .string()
    .toLowerCase()
    .pipe(z.enum(['json', 'text'], 'must be json or text'))
    .default('json')
    .describe('Form of a log line.'),
  LOG_DIR: z
    .string()
    .min(1)
    .optional()
    .describe('Folder for app.log, error.log, access.log and security.log; unset logs to standard output only.'),
} satisfies z.ZodRawShape;

/** Names of the guide this project replaces. */
export const renamedVariables: RenamedVariables = {
  UVICORN_WORKERS: 'API_WORKERS',
  UVICORN_HOST: 'API_HOST',
  UVICORN_PORT: 'API_PORT',
  UVICORN_LOG_LEVEL: 'LOG_LEVEL',
};

export type PostgresSettings = Readonly<z.output<z.ZodObject<typeof postgresEnv>>>;
export type PoolSettings = Readonly<z.output<z.ZodObject<typeof poolEnv>>>;
export type RedisSettings = Readonly<z.output<z.ZodObject<typeof redisEnv>>>;
export type RateLimitSettings = Readonly<z.output<z.ZodObject<typeof rateLimitEnv>>>;
export type LogSettings = Readonly<z.output<z.ZodObject<typeof logEnv>>>;
