import { mkdir } from 'node:fs/promises';
import { createProgress, print, reportError } from '#lib/command-line.ts';
import type { Environment } from '#lib/env.ts';
import { ConfigError } from '#lib/errors.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import type { Logger } from '#lib/logger.ts';
import { closeInOrder, type Closer } from '#lib/shutdown.ts';
import { isEmbedded, readLocalSettings, type LocalSettings } from '../settings.ts';
import { explainFolderError, localSecrets, lockDataFolder, publishStack, wasKilled, withdrawStack } from './data-folder.ts';
import { programEnvironment, stackEnvironment, stackSummary } from './environment.ts';
import { keepRunning, type Part } from './keep-running.ts';
import { apiPart, compileAhead, databasePart, migrateDatabase, monitorPart, monitorProblems, type StackPlan } from './parts.ts';
import { checkPorts, wantedPorts } from './ports.ts';

/** Longer than the parts' own grace periods together, so that only a part which survives SIGKILL reaches it. */
const stopDeadlineMs = 2 * 60_000;

/** How long ports may stay taken by programs of a stack that was killed a moment ago and that are still ending. */
const leftoverPatienceMs = 12_000;

type RunStackOptions = {
  readonly env: Environment;
  /** Resolves when the stack is to stop; it may do so while the stack is still starting. */
  readonly stopped: Promise<unknown>;
  readonly logger: Logger;
};

/**
 * Runs the local stack until `stopped` resolves, then stops it in reverse order. Nothing of it is left after that, also
 * when a part fails to start. Failures are reported in one line each.
 * @returns 0 after a stop, else the exit code of the failure
 */
export async function runStack({ env, stopped, logger }: RunStackOptions): Promise<ExitCode> {
  const stopping = new AbortController();
  void stopped.then(() => stopping.abort());
  const opened: Closer[] = [];
  let exitCode: ExitCode = EXIT.done;
  try {
    await startStack({ env, opened, signal: stopping.signal });
    await stopped;
  } catch (err) {
    if (!stopping.signal.aborted) exitCode = reportError(err);
  }
  if (stopping.signal.aborted) tell('Stopping…');
  const unclosed = await closeInOrder(opened.toReversed(), stopDeadlineMs, logger);
  return exitCode === EXIT.done && unclosed.length > 0 ? EXIT.failed : exitCode;
}

type Start = {
  readonly env: Environment;
  /** Takes what is to be closed, in the order it was opened. */
  readonly opened: Closer[];
  readonly signal: AbortSignal;
};

async function startStack(start: Start): Promise<void> {
  const settings = readLocalSettings(start.env);
  try {
    await startParts(settings, start);
  } catch (err) {
    throw explainFolderError(err, settings.LOCAL_DATA_DIR);
  }
}

async function startParts(settings: LocalSettings, start: Start): Promise<void> {
  const startedAt = new Date();
  const { LOCAL_DATA_DIR: dataDir } = settings;
  const progress = createProgress();
  try {
    const lock = lockDataFolder(dataDir, startedAt);
    start.opened.push({ name: 'lock', close: lock.release });
    await checkPorts(wantedPorts(settings), (await wasKilled(dataDir)) ? leftoverPatienceMs : 0);
    const plan = await planStack(settings, start.env);
    const compiled = compileAhead(plan, start.signal);
    progress.update('Starting PostgreSQL…');
    if (isEmbedded(settings)) await openPart(databasePart(plan), start);
    progress.update('Preparing the database…');
    await migrateDatabase(plan, start.signal);
    await compiled;
    progress.update('Starting the API and the monitor…');
    await openApiAndMonitor(plan, start);
    start.opened.push({ name: 'stack.json', close: () => withdrawStack(dataDir) });
    await publishStack(dataDir, { pid: process.pid, startedAt: startedAt.toISOString(), env: plan.stackEnv });
    progress.done();
    print(stackSummary({ settings, env: plan.stackEnv, startMs: Date.now() - startedAt.getTime() }));
  } finally {
    progress.done();
  }
}

async function planStack(settings: LocalSettings, callerEnv: Environment): Promise<StackPlan> {
  const secrets = await localSecrets(settings.LOCAL_DATA_DIR);
  await mkdir(settings.LOG_DIR, { recursive: true });
  const stackEnv = stackEnvironment(settings, secrets);
  return { settings, secrets, stackEnv, programEnv: programEnvironment(callerEnv, stackEnv, settings.LOCAL_DATA_DIR) };
}

async function openPart(part: Part, { opened, signal }: Start): Promise<void> {
  const kept = await keepRunning(part, { signal, tell });
  opened.push({ name: part.name, close: kept.stop });
}

/** The API first: a monitor that looks while it is still starting would raise an alarm. */
async function openApiAndMonitor(plan: StackPlan, start: Start): Promise<void> {
  try {
    await openPart(apiPart(plan), start);
  } catch (err) {
    if (!(err instanceof ConfigError) || !plan.settings.MONITOR_ENABLED) throw err;
    throw new ConfigError([...err.problems, ...(await monitorProblems(plan, start.signal))], { cause: err });
  }
  if (plan.settings.MONITOR_ENABLED) await openPart(monitorPart(plan), start);
}

function tell(line: string): void {
  process.stderr.write(`${line}\n`);
}
