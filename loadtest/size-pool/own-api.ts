import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Environment } from '#lib/env.ts';
import { AppError } from '#lib/errors.ts';
import { createHttpClient } from '../targets/http-client.ts';
import { freePorts, ownStackEnvironment, type OwnStack } from '../targets/local-stack.ts';
import { openGivenTarget } from '../targets/open-target.ts';
import type { Target } from '../targets/target.ts';
import type { PoolSetting } from './window.ts';

/** The API did not come up with a pool of that size. */
class OwnApiError extends AppError {
  readonly code = 'OWN_API';
}

const apiFile = resolve(import.meta.dirname, '../../api/main.ts');
const startTimeoutMs = 30_000;
const stopTimeoutMs = 20_000;

/**
 * Starts another API beside that of a throw-away stack: on the stack's database, with its secrets, and with a pool of its own
 * size. It ends with this process.
 * @throws {OwnApiError} with the last line it wrote
 */
export async function startOwnApi(stack: OwnStack, caller: Environment, setting: PoolSetting, signal: AbortSignal): Promise<Target> {
  const [apiPort, adminPort, unused] = await freePorts();
  const ports = { API_PORT: String(apiPort), ADMIN_PORT: String(adminPort) };
  const pool = { DB_POOL_SIZE: String(setting.size), DB_MAX_OVERFLOW: String(setting.overflow) };
  const env: Record<string, string> = {
    ...ownStackEnvironment(caller, stack.env['LOCAL_DATA_DIR'] ?? '', [apiPort, adminPort, unused]),
    ...stack.env,
    LOG_DIR: join(stack.env['LOG_DIR'] ?? '', 'sized'),
    ...ports,
    ...pool,
  };
  const [file, ...args] =
    process.platform === 'linux' ? ['setpriv', '--pdeathsig=TERM', process.execPath, apiFile] : ([process.execPath, apiFile] as const);
  const child = spawn(file, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let lastLine = 'it said nothing';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (lastLine = text.trim().split('\n').at(-1) || lastLine));
  child.on('error', (err) => (lastLine = err.message));
  const exited = once(child, 'exit').catch(() => {});
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    const isOver = await Promise.race([exited.then(() => true), sleep(stopTimeoutMs, false, { ref: false })]);
    if (!isOver) child.kill('SIGKILL');
  };
  const origin = `http://127.0.0.1:${apiPort}`;
  try {
    const isReady = await untilReady(origin, exited, signal);
    if (!isReady) throw new OwnApiError(`the API did not start with DB_POOL_SIZE=${setting.size}: ${lastLine}`);
    const target = await openGivenTarget(origin, { ...stack.env, ...ports });
    return { ...target, kind: 'own', pid: child.pid, stop };
  } catch (err) {
    await stop();
    throw err;
  }
}

async function untilReady(origin: string, exited: Promise<unknown>, signal: AbortSignal): Promise<boolean> {
  const http = createHttpClient(origin, 1);
  const isOver = exited.then(() => true);
  try {
    for (const endsMs = performance.now() + startTimeoutMs; performance.now() < endsMs;) {
      signal.throwIfAborted();
      const status = await http.send({ method: 'GET', path: '/readyz' }).then(
        (answer) => answer.status,
        () => undefined,
      );
      if (status === 200) return true;
      if (await Promise.race([isOver, sleep(50, false)])) return false;
    }
    return false;
  } finally {
    await http.close();
  }
}
