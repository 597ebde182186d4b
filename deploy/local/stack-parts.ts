import { join, resolve } from 'node:path';
import type { Part } from './keep-running.ts';
import type { LocalSettings } from './local-env.ts';
import type { LocalSecrets } from './local-secrets.ts';
import { nodeProgram } from './node-program.ts';
import { postgresPart } from './postgres-part.ts';
import { apiUrl, monitorUrl } from './stack-environment.ts';

/** Everything the parts of a stack are started from. */
export type StackPlan = {
  readonly settings: LocalSettings;
  readonly secrets: LocalSecrets;
  /** What stack.json tells, by `stackEnvironment`. */
  readonly stackEnv: Readonly<Record<string, string>>;
  /** What the programs see, by `programEnvironment`. */
  readonly programEnv: Readonly<Record<string, string>>;
};

const root = resolve(import.meta.dirname, '../..');
const startTimeoutMs = 60_000;
/** What a program needs to end beyond the time it gives its requests. */
const stopMarginMs = 5_000;

/** Path of a program's entry file, such as `api/main.ts`. */
export const entryFile = (path: string): string => join(root, path);

export function databasePart({ settings, secrets, stackEnv }: StackPlan): Part {
  return postgresPart({
    dataDir: join(settings.LOCAL_DATA_DIR, 'postgres'),
    logFile: join(settings.LOG_DIR, 'postgres.log'),
    adminPassword: secrets.POSTGRES_PASSWORD,
    programs: {
      POSTGRES_HOST: '127.0.0.1',
      POSTGRES_PORT: settings.LOCAL_POSTGRES_PORT,
      POSTGRES_DB: settings.POSTGRES_DB,
      POSTGRES_USER: settings.POSTGRES_USER,
      POSTGRES_PASSWORD: stackEnv['POSTGRES_PASSWORD'],
    },
  });
}

export function apiPart({ settings, programEnv }: StackPlan): Part {
  return nodeProgram({
    name: 'API',
    script: entryFile('api/main.ts'),
    env: programEnv,
    outputFile: join(settings.LOG_DIR, 'api.stderr.log'),
    keepsLogFiles: true,
    healthUrl: `${apiUrl(settings)}/health_check`,
    startTimeoutMs,
    stopGraceMs: settings.DRAIN_TIMEOUT * 1000 + stopMarginMs,
  });
}

export function monitorPart({ settings, programEnv }: StackPlan): Part {
  return nodeProgram({
    name: 'monitor',
    script: entryFile('monitor/main.ts'),
    env: programEnv,
    outputFile: join(settings.LOG_DIR, 'monitor.log'),
    healthUrl: `${monitorUrl(settings)}/healthz`,
    startTimeoutMs,
    stopGraceMs: 10_000 + stopMarginMs,
  });
}
