import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { freePort } from './free-port.ts';

/** Whether `redis-server` is on PATH; tests that need it are reported as skipped where it is not. */
export const hasRedis: boolean = spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0;

export type TestRedis = {
  readonly port: number;
  readonly pid: number;
  /** Resolves when it has ended, whoever ended it. */
  readonly ended: Promise<unknown>;
  /** Stops answering while the connections stay open, as a server that swaps or hangs does. */
  readonly freeze: () => void;
  readonly thaw: () => void;
  /** The names of all keys it holds. */
  readonly keys: () => Promise<string[]>;
  readonly stop: () => Promise<void>;
};

/** A Redis of the caller's own on 127.0.0.1 that writes nothing to disk. */
export async function startRedis(port?: number): Promise<TestRedis> {
  const given = port ?? (await freePort());
  const args = ['--port', `${given}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--daemonize', 'no'];
  const child = spawn('redis-server', args, { stdio: 'ignore' });
  const ended = once(child, 'exit');
  await untilAccepting(given);
  return {
    port: given,
    pid: child.pid as number,
    ended,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    keys: async () => {
      const client = new Redis({ port: given, host: '127.0.0.1' });
      return client.keys('*').finally(() => client.disconnect());
    },
    stop: async () => {
      child.kill('SIGCONT');
      child.kill('SIGKILL');
      await ended;
    },
  };
}

async function untilAccepting(port: number): Promise<void> {
  for (const endsAt = Date.now() + 10_000; Date.now() < endsAt;) {
    const isUp = await new Promise<boolean>((resolve) => {
      const socket = createConnection(port, '127.0.0.1', () => resolve(true)).once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (isUp) return;
    await sleep(20);
  }
  throw new Error(`redis-server does not accept connections on port ${port}`);
}
