import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { AppError } from '#lib/errors.ts';
import { bareEnvironment } from '#lib/run-command.ts';
import type { FloorJob } from './floor-server.ts';

export class FloorError extends AppError {
  readonly code = 'BENCH_FLOOR';
}

export type Floor = { readonly origin: string; readonly pid: number; readonly stop: () => Promise<void> };

const file = join(import.meta.dirname, 'floor-server.ts');
const startTimeoutMs = 20_000;

/** Starts the floor server on a free port of this machine and resolves once all its processes listen. */
export async function startFloor(job: FloorJob): Promise<Floor> {
  const child = fork(file, { env: bareEnvironment(), execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  const exited = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await exited;
  };
  try {
    child.send(job);
    const [{ port }] = (await once(child, 'message', { signal: AbortSignal.timeout(startTimeoutMs) })) as [{ port: number }];
    return { origin: `http://127.0.0.1:${port}`, pid: child.pid ?? Number.NaN, stop };
  } catch (err) {
    await stop();
    throw new FloorError(`the floor server did not start within ${startTimeoutMs / 1_000} s`, { cause: err });
  }
}
