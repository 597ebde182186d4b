import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readLocalStack, stackFileName } from '#lib/local-stack.ts';
import { cleanEnvironment } from './clean-environment.ts';
import { freePort, isListening } from './free-port.ts';
import { processesWith } from './processes.ts';

export type Ports = {
  readonly API_PORT: string;
  readonly ADMIN_PORT: string;
  readonly MONITOR_PORT: string;
  readonly LOCAL_POSTGRES_PORT: string;
};

export type StartOptions = {
  readonly dataDir: string;
  readonly ports: Ports;
  readonly env?: Readonly<Record<string, string>>;
  /** Folder of the checkout; default: this one. */
  readonly root?: string;
  /** Default: Node on deploy/local/start.mjs. */
  readonly command?: readonly [string, ...string[]];
};

export type StartedStack = {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves with the exit code; null when a signal ended it. */
  readonly exited: Promise<number | null>;
  /** Variables that lead to the stack. Rejects when it ends before it serves. */
  readonly serving: () => Promise<Readonly<Record<string, string>>>;
};

const startTimeoutMs = 90_000;

export async function freePorts(): Promise<Ports> {
  const [api, admin, monitor, postgres] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  return { API_PORT: `${api}`, ADMIN_PORT: `${admin}`, MONITOR_PORT: `${monitor}`, LOCAL_POSTGRES_PORT: `${postgres}` };
}

/** Starts the local stack as a person would from a terminal: in a process group of its own, without input. */
export function startStack({ dataDir, ports, env = {}, root = resolve('.'), command }: StartOptions): StartedStack {
  const [file, ...args] = command ?? [process.execPath, join(root, 'deploy/local/start.mjs')];
  const child = spawn(file, args, {
    cwd: root,
    env: { ...cleanEnvironment(), LOCAL_DATA_DIR: dataDir, ...ports, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
    });
  }
  const exited = once(child, 'close').then(([status]) => status as number | null);
  return {
    child,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    exited,
    serving: () => untilServing(dataDir, exited, () => output.stderr),
  };
}

async function untilServing(dataDir: string, exited: Promise<unknown>, stderr: () => string): Promise<Readonly<Record<string, string>>> {
  const isOver = exited.then(
    () => true,
    () => true,
  );
  for (const endsAt = Date.now() + startTimeoutMs; Date.now() < endsAt;) {
    const stack = readLocalStack({ LOCAL_DATA_DIR: dataDir });
    if (stack) return stack.env;
    if (await Promise.race([isOver, sleep(50, false)])) break;
  }
  throw new Error(`the stack did not start: ${stderr()}`);
}

/** What is left of a stack: processes, ports, and files that say that it runs. Empty when it is gone. */
export async function remainsOf(dataDir: string, ports: Ports): Promise<string[]> {
  const processes = processesWith(dataDir).map(({ pid, commandLine }) => `process ${pid}: ${commandLine}`);
  const listening = await Promise.all(
    Object.entries(ports).map(async ([name, port]) => ((await isListening(Number(port))) ? [`${name} ${port}`] : [])),
  );
  const files = [stackFileName, 'postgres/postmaster.pid'].filter((file) => existsSync(join(dataDir, file)));
  return [...processes, ...listening.flat(), ...files];
}
