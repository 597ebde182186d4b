import * as z from 'zod';
import { flag, integer, list, readEnv, secret, type Environment } from '#lib/env.ts';
import { ConfigError } from '#lib/errors.ts';
import { apiAddressEnv, logEnv, poolEnv, postgresEnv, rateLimitEnv, redisEnv, renamedVariables } from '#lib/settings.ts';
import { cleartextProblems, mailAddress, securedSmtpUrl, smtpUrl } from '#lib/smtp.ts';
import { isAddressOrRange } from './http/trusted-proxies.ts';

const bootstrapKey = () => secret(z.string().min(24, 'must have at least 24 characters')).optional();

/** Every variable the API reads; `.env.example` is held against it. */
export const apiEnv = {
  ...postgresEnv,
  ...poolEnv,
  ...redisEnv,
  ...rateLimitEnv,
  ...apiAddressEnv,
  ...logEnv,
  API_WORKERS: integer(1, 64).optional().describe('Worker processes; default: the number of cores, at most 4.'),
  AUTH_TOKEN_SECRET: secret(z.string().min(32, 'must have at least 32 characters')).describe('Key that signs access tokens.'),
  AUTH_SESSION_TTL: integer(300, 31_536_000).default(2_592_000).describe('Seconds a session lasts that is not refreshed.'),
  AUTH_TOKEN_TTL: integer(60, 86_400).default(3600).describe('Seconds an access token is valid.'),
  BOOTSTRAP_OPERATOR_KEY: bootstrapKey().describe('API key of the first operator; its hash is stored at start when absent.'),
  BOOTSTRAP_LOADTEST_KEY: bootstrapKey().describe('API key for load tests; its hash is stored at start when absent.'),
  CORS_ORIGINS: list()
    .pipe(z.array(z.string().regex(/^https?:\/\/[^/\s*]+$/, 'must be origins such as https://shop.example, separated by commas')))
    .default([])
    .describe('Origins whose pages may call the API from a browser, separated by commas.'),
  TRUSTED_PROXIES: list()
    .pipe(z.array(z.string().refine(isAddressOrRange, 'must be addresses or ranges such as 10.0.0.0/8, separated by commas')))
    .default([])
    .describe('Addresses and ranges of proxies whose X-Forwarded-For is believed, separated by commas.'),
  MAIL_SMTP_URL: smtpUrl.optional().describe('Mail server for mail to customers; unset: nobody can have a new password mailed.'),
  MAIL_SMTP_ALLOW_CLEARTEXT: flag()
    .default(false)
    .describe('Lets the password of MAIL_SMTP_URL go to a mail server on this very machine without TLS.'),
  MAIL_FROM: mailAddress.optional().describe('Sender of mail to customers; required with MAIL_SMTP_URL.'),
  MAIL_RESET_URL: z
    .url({ protocol: /^https?$/, error: 'must be a URL such as https://shop.example/new-password' })
    .refine((url) => !url.includes('#'), 'must have no fragment: the token is appended as one')
    .optional()
    .describe('Page of the shop on which a new password is chosen, mailed with #reset_token=…; required with MAIL_SMTP_URL.'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z
    .url({ protocol: /^https?$/, error: 'must be a URL such as http://127.0.0.1:4318' })
    .optional()
    .describe('Collector that traces are sent to, by OTLP over HTTP as JSON; unset: none are.'),
  OTEL_EXPORTER_OTLP_HEADERS: secret(
    list().pipe(z.array(z.string().regex(/^[\w-]+=[^\r\n]+$/, 'must be headers such as api-key=value, separated by commas'))),
  )
    .default([])
    .describe('Headers sent to that collector, such as api-key=value, separated by commas.'),
  OTEL_SERVICE_NAME: z.string().min(1).max(100).default('atalaya-api').describe('Name of the service in traces.'),
  OTEL_TRACES_SAMPLER_ARG: z
    .string()
    .regex(/^(0(\.\d{1,6})?|1(\.0{1,6})?)$/, 'must be a share from 0 to 1, such as 0.1')
    .transform(Number)
    .default(1)
    .describe('Share of the traces begun here that is sent; those of a caller are as the caller decided.'),
  IDEMPOTENCY_REQUIRED: flag().default(false).describe('Refuse a POST without Idempotency-Key where one is honoured.'),
  IF_MATCH_REQUIRED: flag().default(false).describe('Refuse a change or deletion without If-Match.'),
  RATE_LIMIT_LOADTEST_CALLS: integer(1, 100_000_000)
    .default(100_000)
    .describe('Requests in one RATE_LIMIT_PERIOD for a load test key and for each customer it made.'),
  MAX_CONNECTIONS_RESERVE: integer(0, 10_000)
    .default(10)
    .describe("Connections of the server's max_connections kept for others: monitor, backup, migrations, superuser."),
  API_INSTANCES: integer(1, 100)
    .default(1)
    .describe('APIs, such as containers, that share the database server: each takes an equal share of its connections.'),
  DRAIN_TIMEOUT: integer(1, 600).default(10).describe('Seconds the API takes at most to finish accepted requests when it is stopped.'),
} satisfies z.ZodRawShape;

export type ApiConfig = Readonly<z.output<z.ZodObject<typeof apiEnv>>>;

/**
 * The API's settings.
 * @param warn receives one line for each variable read under an old name, or without effect
 * @throws {ConfigError} with every problem at once
 */
export function readApiConfig(env: Environment, warn?: (message: string) => void): ApiConfig {
  const config = readEnv(apiEnv, env, { renamed: renamedVariables, ...(warn ? { warn } : {}) });
  if (config.REDIS_CACHE_TTL !== undefined) {
    warn?.('REDIS_CACHE_TTL is set, and has no effect: nothing is cached, since what many ask is asked once (docs/decisions/021)');
  }
  const problems = mailProblems(config);
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

const mailNames = ['MAIL_SMTP_URL', 'MAIL_FROM', 'MAIL_RESET_URL'] as const;

function mailProblems(config: ApiConfig): string[] {
  const missing = mailNames.filter((name) => config[name] === undefined);
  const isPartial = missing.length > 0 && missing.length < mailNames.length;
  const needed = mailNames.filter((name) => !missing.includes(name)).join(' and ');
  return [
    ...(isPartial ? missing.map((name) => `${name} is not set; it is required with ${needed}`) : []),
    ...cleartextProblems('MAIL_', config),
  ];
}

export type MailSettings = { readonly smtpUrl: string; readonly from: string; readonly resetUrl: string };

/** Of mail to customers; undefined where there shall be none. */
export function mailSettings(config: ApiConfig): MailSettings | undefined {
  const { MAIL_SMTP_URL: url, MAIL_SMTP_ALLOW_CLEARTEXT: allowsCleartext, MAIL_FROM: from, MAIL_RESET_URL: resetUrl } = config;
  if (url === undefined || from === undefined || resetUrl === undefined) return undefined;
  return { smtpUrl: securedSmtpUrl(url, allowsCleartext), from, resetUrl };
}

/** How many worker processes run: API_WORKERS, else one for each core, at most 4. */
export function workerCount(config: Pick<ApiConfig, 'API_WORKERS'>, cores: number): number {
  return config.API_WORKERS ?? Math.max(1, Math.min(cores, 4));
}
