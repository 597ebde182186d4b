import { once } from 'node:events';
import { createConnection } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError } from '#lib/errors.ts';
import { startCommand } from '#lib/run-command.ts';
import { freePorts } from '../targets/local-stack.ts';
import type { Store } from './matter.ts';

/** `redis-server` could not be started. */
export class OwnRedisError extends AppError {
  readonly code = 'OWN_REDIS';
}

export type OwnRedis = Store & { readonly port: number; readonly stop: () => Promise<void> };

const startTimeoutMs = 10_000;

/**
 * A Redis of our own on 127.0.0.1 that writes nothing to disk, which the test may freeze and kill.
 * @throws {OwnRedisError} when redis-server is not installed, or does not listen in time
 */
export async function startOwnRedis(): Promise<OwnRedis> {
  const [port] = await freePorts();
  let server = await launch(port);
  const kill = async (): Promise<void> => {
    const isOver = server.exitCode === null && server.signalCode === null ? once(server, 'exit') : undefined;
    server.kill('SIGKILL');
    await isOver;
  };
  return {
    name: 'Redis',
    port,
    freeze: () => void server.kill('SIGSTOP'),
    thaw: () => void server.kill('SIGCONT'),
    kill,
    restart: async () => {
      server = await launch(port);
    },
    stop: kill,
  };
}

async function launch(port: number): Promise<ReturnType<typeof startCommand>> {
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--daemonize', 'no'];
  const server = startCommand({ file: 'redis-server', args, endsWithParent: true });
  const ended: { how?: string } = {};
  server.on('error', (err) => (ended.how = err.message));
  server.on('exit', (status) => (ended.how ??= `it ended with status ${status}`));
  server.stdout.resume();
  for (const endsMs = performance.now() + startTimeoutMs; performance.now() < endsMs && ended.how === undefined; await sleep(20)) {
    if (await accepts(port)) return server;
  }
  server.kill('SIGKILL');
  throw new OwnRedisError(
    `redis-server cannot be started: ${ended.how ?? 'it does not listen'}; install it with: apt-get install redis-server`,
  );
}

const accepts = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    }).once('error', () => resolve(false));
  });
