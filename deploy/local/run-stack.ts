import { access, mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { print, reportError } from '#lib/command-line.ts';
import type { Environment } from '#lib/env.ts';
import { BusyError } from '#lib/errors.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import { stackFileName } from '#lib/local-stack.ts';
import type { Logger } from '#lib/logger.ts';
import { createProgress } from '#lib/progress.ts';
import { closeInOrder, type Closer } from '#lib/shutdown.ts';
import { takeLock } from './exclusive-lock.mjs';
import { keepRunning, type KeptPart, type Part } from './keep-running.ts';
import { isEmbedded, readLocalSettings, type LocalSettings } from './local-env.ts';
import { localSecrets } from './local-secrets.ts';
import { migrateDatabase } from './migrate-database.ts';
import { checkPorts, type WantedPort } from './ports.ts';
import { stackEnvironment } from './stack-environment.ts';
import { publishStack, withdrawStack } from './stack-file.ts';
import { apiPart, databasePart, monitorPart, type StackPlan } from './stack-parts.ts';
import { stackSummary } from './stack-summary.ts';

/** Longer than the parts' own grace periods together, so that only a part which survives SIGKILL reaches it. */
const stopDeadlineMs = 2 * 60_000;

/** How long ports may stay taken by programs of a stack that was killed a moment ago and that are still ending. */
const leftoverPatienceMs = 12_000;

/** How long parts starting beside one that failed have to say what is wrong with them too. */
const otherFailuresMs = 1_500;

export type RunStackOptions = {
  readonly env: Environment;
  /** Resolves when the stack is to stop; it may do so while the stack is still starting. */
  readonly stopped: Promise<unknown>;
  readonly logger: Logger;
};

/**
 * Runs the local stack until `stopped` resolves, then stops it in reverse order. Nothing of it is left after that, also
 * when a part fails to start. Failures are reported in one line each.
 * @returns 0 after a stop, else the exit code of the first failure
 */
export async function runStack({ env, stopped, logger }: RunStackOptions): Promise<ExitCode> {
  const stopping = new AbortController();
  void stopped.then(() => stopping.abort());
  const opened: Closer[] = [];
  const failures: unknown[] = [];
  try {
    await startStack({ env, opened, signal: stopping.signal });
    await stopped;
  } catch (err) {
    if (!stopping.signal.aborted) failures.push(...(err instanceof AggregateError ? err.errors : [err]));
  }
  if (stopping.signal.aborted) tell('Stopping…');
  const exitCodes = failures.map(reportError);
  const unclosed = await closeInOrder(opened.toReversed(), stopDeadlineMs, logger);
  return exitCodes[0] ?? (unclosed.length > 0 ? EXIT.failed : EXIT.done);
}

type Start = {
  readonly env: Environment;
  /** Takes what is to be closed, in the order it was opened. */
  readonly opened: Closer[];
  readonly signal: AbortSignal;
};

async function startStack(start: Start): Promise<void> {
  const startedAt = new Date();
  const progress = createProgress();
  try {
    const settings = readLocalSettings(start.env);
    await lockDataDir(settings, start.opened);
    await checkPorts(wantedPorts(settings), (await wasKilled(settings)) ? leftoverPatienceMs : 0);
    const plan = await planStack(settings, start.env);
    progress.update('Starting PostgreSQL…');
    if (isEmbedded(settings)) await openParts([databasePart(plan)], start);
    progress.update('Preparing the database…');
    await migrateDatabase(plan, start.signal);
    progress.update('Starting the API and the monitor…');
    await openParts([apiPart(plan), ...(settings.MONITOR_ENABLED ? [monitorPart(plan)] : [])], start);
    start.opened.push({ name: 'stack.json', close: () => withdrawStack(settings.LOCAL_DATA_DIR) });
    await publishStack(settings.LOCAL_DATA_DIR, { pid: process.pid, startedAt: startedAt.toISOString(), env: plan.stackEnv });
    progress.done();
    print(stackSummary({ settings, env: plan.stackEnv, startMs: Date.now() - startedAt.getTime() }));
  } finally {
    progress.done();
  }
}

async function lockDataDir(settings: LocalSettings, opened: Closer[]): Promise<void> {
  const dataDir = settings.LOCAL_DATA_DIR;
  await mkdir(dataDir, { recursive: true });
  const lock = await takeLock(`stack ${await realpath(dataDir)}`, `process ${process.pid}, since ${new Date().toISOString()}`);
  if (!lock.taken)
    throw new BusyError(`LOCAL_DATA_DIR=${dataDir} is in use by ${lock.holder}; stop it or set LOCAL_DATA_DIR to another folder`);
  opened.push({ name: 'lock', close: lock.release });
}

function wantedPorts(settings: LocalSettings): WantedPort[] {
  const ports: WantedPort[] = [
    { variable: 'API_PORT', host: settings.API_HOST, port: settings.API_PORT },
    { variable: 'ADMIN_PORT', host: settings.ADMIN_HOST, port: settings.ADMIN_PORT },
  ];
  if (settings.MONITOR_ENABLED) ports.push({ variable: 'MONITOR_PORT', host: settings.MONITOR_HOST, port: settings.MONITOR_PORT });
  if (isEmbedded(settings)) ports.push({ variable: 'LOCAL_POSTGRES_PORT', host: '127.0.0.1', port: settings.LOCAL_POSTGRES_PORT });
  return ports;
}

/** An orderly stop withdraws stack.json; we hold the lock, so nobody else has just written it. */
const wasKilled = (settings: LocalSettings): Promise<boolean> =>
  access(join(settings.LOCAL_DATA_DIR, stackFileName)).then(
    () => true,
    () => false,
  );

async function planStack(settings: LocalSettings, callerEnv: Environment): Promise<StackPlan> {
  const secrets = await localSecrets(settings.LOCAL_DATA_DIR);
  await mkdir(settings.LOG_DIR, { recursive: true });
  return { settings, secrets, stackEnv: stackEnvironment(settings, secrets), callerEnv };
}

/** Starts parts side by side; resolves once all serve. Those that do are put into `opened` even when another fails. */
async function openParts(parts: readonly Part[], { opened, signal }: Start): Promise<void> {
  const giveUp = new AbortController();
  const starts = parts.map((part) => keepRunning(part, { signal: AbortSignal.any([signal, giveUp.signal]), tell }));
  let timer: NodeJS.Timeout | undefined;
  const onFailure = (): void => void (timer ??= setTimeout(() => giveUp.abort(), otherFailuresMs));
  for (const start of starts) start.catch(onFailure);
  const outcomes = await Promise.allSettled(starts);
  clearTimeout(timer);
  const failures: unknown[] = [];
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome.status === 'fulfilled') opened.push(closerOf(parts[index], outcome.value));
    else if (!isAbort(outcome.reason)) failures.push(outcome.reason);
  }
  signal.throwIfAborted();
  if (failures.length > 0) throw new AggregateError(failures);
}

const closerOf = (part: Part | undefined, kept: KeptPart): Closer => ({ name: part?.name ?? '', close: kept.stop });

const isAbort = (err: unknown): boolean => err instanceof Error && err.name === 'AbortError';

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
