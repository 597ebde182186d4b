import { resolve } from 'node:path';
import * as z from 'zod';
import { flag, integer, readEnv, secret, type Environment } from '#lib/env.ts';
import { apiAddressEnv, postgresEnv, redisEnv } from '#lib/settings.ts';

const generatedSecret = (least: number) => secret(z.string().min(least, `must have at least ${least} characters`)).optional();

/** Variables of `npm start`. It hands every other variable on to the programs it runs, which check their own. */
export const localEnv = {
  LOCAL_DATA_DIR: z.string().min(1).default('.local').describe('Folder of the local stack: database, logs, backups, generated secrets.'),
  LOCAL_POSTGRES_PORT: integer(1, 65_535).default(54_320).describe('Port of the embedded PostgreSQL.'),
  SEED_DEMO: flag()
    .optional()
    .describe('Fill an empty database with demo data. Unset: only the embedded database, never one named by POSTGRES_HOST.'),
  MONITOR_ENABLED: flag().default(true).describe('Run the monitor beside the API in npm start.'),
  ...postgresEnv,
  POSTGRES_HOST: z.string().min(1).optional().describe('Host name or address of PostgreSQL. Unset, npm start runs an embedded one.'),
  REDIS_HOST: z.string().min(1).optional().describe('Host name or address of Redis. Set, npm start uses it.'),
  REDIS_PORT: redisEnv.REDIS_PORT,
  REDIS_PASSWORD: redisEnv.REDIS_PASSWORD,
  REDIS_ENABLED: flag().optional().describe('Use Redis for the rate limit and the cache. Unset in npm start: as REDIS_HOST is set.'),
  ...apiAddressEnv,
  MONITOR_HOST: z.string().min(1).default('127.0.0.1').describe('Address the status page listens on.'),
  MONITOR_PORT: integer(1, 65_535).default(8080).describe('Port the status page listens on.'),
  MONITOR_PASSWORD: generatedSecret(12).describe('Lets operators into all of the status page. Unset in npm start: generated once.'),
  DRAIN_TIMEOUT: integer(1, 600).default(10).describe('Seconds the API takes at most to finish accepted requests when it is stopped.'),
  LOG_DIR: z.string().min(1).optional().describe('Folder of log files. Unset in npm start: logs in LOCAL_DATA_DIR.'),
  BACKUP_DIR: z.string().min(1).optional().describe('Folder of backups. Unset in npm start: backups in LOCAL_DATA_DIR.'),
  MONITOR_DATA_DIR: z
    .string()
    .min(1)
    .optional()
    .describe("Folder of the monitor's own store. Unset in npm start: monitor in LOCAL_DATA_DIR."),
  AUTH_TOKEN_SECRET: generatedSecret(32).describe('Signs access tokens. Unset in npm start: generated once.'),
  BOOTSTRAP_OPERATOR_KEY: generatedSecret(24).describe('Makes the first operator key. Unset in npm start: generated once.'),
  BOOTSTRAP_LOADTEST_KEY: generatedSecret(24).describe('Makes the first load test key. Unset in npm start: generated once.'),
} satisfies z.ZodRawShape;

export type LocalSettings = Readonly<z.output<z.ZodObject<typeof localEnv>>> & {
  /** These are absolute paths. */
  readonly LOCAL_DATA_DIR: string;
  readonly LOG_DIR: string;
  readonly BACKUP_DIR: string;
  readonly MONITOR_DATA_DIR: string;
};

/**
 * The settings of the local stack, with paths made absolute.
 * @throws {ConfigError} with every problem at once.
 */
export function readLocalSettings(env: Environment): LocalSettings {
  const settings = readEnv(localEnv, env);
  const dataDir = resolve(settings.LOCAL_DATA_DIR);
  return {
    ...settings,
    LOCAL_DATA_DIR: dataDir,
    LOG_DIR: resolve(settings.LOG_DIR ?? `${dataDir}/logs`),
    BACKUP_DIR: resolve(settings.BACKUP_DIR ?? `${dataDir}/backups`),
    MONITOR_DATA_DIR: resolve(settings.MONITOR_DATA_DIR ?? `${dataDir}/monitor`),
  };
}

/** Whether `npm start` runs a database of its own. */
export const isEmbedded = (settings: LocalSettings): boolean => settings.POSTGRES_HOST === undefined;
