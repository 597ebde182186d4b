import { join, resolve } from 'node:path';
import { ConfigError, messageOf, type AppError } from '#lib/errors.ts';
import { CommandError, runCommand } from '#lib/run-command.ts';
import { runAs } from '../postgres/server-account.ts';
import { isEmbedded, type LocalSettings } from '../settings.ts';
import type { LocalSecrets } from './data-folder.ts';
import { postgresPart } from './database-part.ts';
import { apiUrl, monitorUrl } from './environment.ts';
import type { Part } from './keep-running.ts';
import { nodeProgram } from './node-program.ts';
import { startFailure } from './program-output.ts';

/** Everything the parts of a stack are started from. */
export type StackPlan = {
  readonly settings: LocalSettings;
  readonly secrets: LocalSecrets;
  /** What stack.json tells, by `stackEnvironment`. */
  readonly stackEnv: Readonly<Record<string, string>>;
  /** What the programs see, by `programEnvironment`. */
  readonly programEnv: Readonly<Record<string, string>>;
};

const root = resolve(import.meta.dirname, '../../..');
const startTimeoutMs = 60_000;
/** What a program needs to end beyond the time it gives its requests. */
const stopMarginMs = 5_000;

const migrationTimeoutMs = 5 * 60_000;
const checkTimeoutMs = 20_000;

/** Path of a program's entry file, such as `api/main.ts`. */
const entryFile = (path: string): string => join(root, path);

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
    script: entryFile('monitor/main.mjs'),
    env: programEnv,
    outputFile: join(settings.LOG_DIR, 'monitor.log'),
    healthUrl: `${monitorUrl(settings)}/healthz`,
    startTimeoutMs,
    stopGraceMs: 10_000 + stopMarginMs,
  });
}

/**
 * Brings the schema up to date and, where it is wanted, fills an empty database with demo data.
 * @throws {AppError} saying in one line why it failed, or that the signal fired
 */
export async function migrateDatabase(plan: StackPlan, signal: AbortSignal): Promise<void> {
  const isSeeded = plan.settings.SEED_DEMO ?? isEmbedded(plan.settings);
  const failure = await runOnce(plan, 'migration', ['api/db/cli.ts', 'up', ...(isSeeded ? ['--seed-demo'] : [])], {
    timeoutMs: migrationTimeoutMs,
    signal,
  });
  if (failure) throw failure;
}

/**
 * Has processes that end leave what the API's processes load, stripped and compiled, in NODE_COMPILE_CACHE. One that stays and
 * strips a single type itself keeps the compiler that does it, some 25 MB, for as long as it runs; where this fails they do.
 */
export async function compileAhead({ programEnv }: Pick<StackPlan, 'programEnv'>, signal: AbortSignal): Promise<void> {
  // Asked for help, and started by nobody: both load all they have, and end.
  const runs = [['api/main.ts', '--help'], ['api/worker.ts']].map(([entry = '', ...args]) =>
    runCommand(
      { ...runAs(undefined, { file: process.execPath, args: [entryFile(entry), ...args] }), env: programEnv },
      { timeoutMs: checkTimeoutMs, signal },
    ),
  );
  await Promise.allSettled(runs);
}

/** What the monitor finds wrong with its settings, without starting it: so that one failed start tells all there is to mend. */
export async function monitorProblems(plan: StackPlan, signal: AbortSignal): Promise<readonly string[]> {
  const failure = await runOnce(plan, 'monitor', ['monitor/cli.ts', 'check-config'], { timeoutMs: checkTimeoutMs, signal });
  return failure instanceof ConfigError ? failure.problems : [];
}

type Limits = { readonly timeoutMs: number; readonly signal: AbortSignal };

/** Runs a command of the project to its end; undefined when it ended well. */
async function runOnce(
  plan: StackPlan,
  name: string,
  [entry, ...args]: [string, ...string[]],
  limits: Limits,
): Promise<AppError | undefined> {
  const command = runAs(undefined, { file: process.execPath, args: [entryFile(entry), ...args] });
  try {
    await runCommand({ ...command, env: plan.programEnv }, limits);
    return undefined;
  } catch (err) {
    if (!(err instanceof CommandError)) throw err;
    const how = err.status === null ? messageOf(err) : `ended with status ${err.status}`;
    return startFailure({ name, status: err.status, how, output: err.stderrTail });
  }
}
