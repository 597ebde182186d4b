import { join } from 'node:path';
import type { Environment } from '#lib/env.ts';
import { localOrigin } from '#lib/listen.ts';
import { showDuration } from '#lib/show.ts';
import { isEmbedded, type LocalSettings } from '../settings.ts';
import type { LocalSecrets } from './data-folder.ts';

/** Where the API answers to programs on this machine, whatever address it listens on. */
export const apiUrl = (settings: LocalSettings): string => localOrigin(settings.API_HOST, settings.API_PORT);

/** Likewise the status page. */
export const monitorUrl = (settings: LocalSettings): string => localOrigin(settings.MONITOR_HOST, settings.MONITOR_PORT);

const adminUrl = (settings: LocalSettings): string => localOrigin(settings.ADMIN_HOST, settings.ADMIN_PORT);

/** The variables by which programs, and other commands through stack.json, find the stack. Pure. */
export function stackEnvironment(settings: LocalSettings, secrets: LocalSecrets): Record<string, string> {
  return {
    ...postgresVariables(settings, secrets),
    ...redisVariables(settings),
    API_URL: apiUrl(settings),
    API_HOST: settings.API_HOST,
    API_PORT: String(settings.API_PORT),
    ADMIN_HOST: settings.ADMIN_HOST,
    ADMIN_PORT: String(settings.ADMIN_PORT),
    ADMIN_TOKEN: settings.ADMIN_TOKEN ?? secrets.ADMIN_TOKEN,
    MONITOR_HOST: settings.MONITOR_HOST,
    MONITOR_PORT: String(settings.MONITOR_PORT),
    MONITOR_PASSWORD: settings.MONITOR_PASSWORD ?? secrets.MONITOR_PASSWORD,
    LOG_DIR: settings.LOG_DIR,
    BACKUP_DIR: settings.BACKUP_DIR,
    MONITOR_DATA_DIR: settings.MONITOR_DATA_DIR,
    AUTH_TOKEN_SECRET: settings.AUTH_TOKEN_SECRET ?? secrets.AUTH_TOKEN_SECRET,
    OPERATOR_KEY: settings.BOOTSTRAP_OPERATOR_KEY ?? secrets.BOOTSTRAP_OPERATOR_KEY,
    LOADTEST_KEY: settings.BOOTSTRAP_LOADTEST_KEY ?? secrets.BOOTSTRAP_LOADTEST_KEY,
  };
}

/**
 * The environment of a program of the stack: the caller's, with the stack's variables in front. A caller's `X_FILE` gives
 * way to an `X` of the stack, which was read from it or stands in its place. Node keeps what it compiled in the data folder,
 * which makes the next start about a fifth shorter. Pure.
 */
export function programEnvironment(caller: Environment, stack: Readonly<Record<string, string>>, dataDir: string): Record<string, string> {
  const ours = { ...stack, BOOTSTRAP_OPERATOR_KEY: stack['OPERATOR_KEY'] ?? '', BOOTSTRAP_LOADTEST_KEY: stack['LOADTEST_KEY'] ?? '' };
  const theirs = Object.entries(caller).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && !Object.hasOwn(ours, entry[0].replace(/_FILE$/, '')),
  );
  return { NODE_COMPILE_CACHE: join(dataDir, 'compile-cache'), ...Object.fromEntries(theirs), ...ours };
}

function postgresVariables(settings: LocalSettings, secrets: LocalSecrets): Record<string, string> {
  const password = settings.POSTGRES_PASSWORD ?? (isEmbedded(settings) ? secrets.POSTGRES_PASSWORD : undefined);
  return {
    POSTGRES_HOST: settings.POSTGRES_HOST ?? '127.0.0.1',
    POSTGRES_PORT: String(isEmbedded(settings) ? settings.LOCAL_POSTGRES_PORT : settings.POSTGRES_PORT),
    POSTGRES_DB: settings.POSTGRES_DB,
    POSTGRES_USER: settings.POSTGRES_USER,
    ...(password === undefined ? {} : { POSTGRES_PASSWORD: password }),
  };
}

function redisVariables(settings: LocalSettings): Record<string, string> {
  const isWanted = settings.REDIS_ENABLED ?? settings.REDIS_HOST !== undefined;
  if (!isWanted) return {};
  return {
    REDIS_ENABLED: 'true',
    REDIS_HOST: settings.REDIS_HOST ?? 'localhost',
    REDIS_PORT: String(settings.REDIS_PORT),
    ...(settings.REDIS_PASSWORD === undefined ? {} : { REDIS_PASSWORD: settings.REDIS_PASSWORD }),
  };
}

type Summary = {
  readonly settings: LocalSettings;
  /** The variables of stack.json. */
  readonly env: Readonly<Record<string, string>>;
  /** How long the start took. */
  readonly startMs: number;
};

/** What `npm start` prints once everything serves: where it all is, and a key to begin with. */
export function stackSummary({ settings, env, startMs }: Summary): string {
  const origin = isEmbedded(settings) ? 'embedded' : 'yours, by POSTGRES_HOST';
  const rows: [string, string][] = [
    ['API', `${apiUrl(settings)}  (documentation: /docs, health: /health_check)`],
    [
      'Status page',
      settings.MONITOR_ENABLED
        ? `${monitorUrl(settings)}  (operators: /operator, MONITOR_PASSWORD in secrets.json)`
        : 'off (MONITOR_ENABLED=false)',
    ],
    ['Admin', `${adminUrl(settings)}  (/metrics, /config; token: ADMIN_TOKEN in secrets.json)`],
    ['PostgreSQL', `${env['POSTGRES_HOST']}:${env['POSTGRES_PORT']}, database ${env['POSTGRES_DB']}  (${origin})`],
    ['Logs', settings.LOG_DIR],
    ['Operator key', `${env['OPERATOR_KEY']}  (header X-API-Key)`],
  ];
  const width = Math.max(...rows.map(([label]) => label.length));
  const table = rows.map(([label, value]) => `  ${label.padEnd(width)}  ${value}`).join('\n');
  return `\nAtalaya is running (started in ${showDuration(startMs)}). Its data is in ${settings.LOCAL_DATA_DIR}\n\n${table}\n\nCtrl-C stops everything.\n`;
}
