import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PostgresSettings } from '#lib/settings.ts';
import { cleanEnvironment, compiledOnce } from './clean-environment.ts';
import { freePort } from './free-port.ts';

export const operatorKey = 'test-operator-key-0123456789';
export const loadtestKey = 'test-loadtest-key-0123456789';
export const adminToken = 'test-admin-token-0123456789';

export type ApiProcess = {
  readonly url: string;
  readonly adminUrl: string;
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves with the exit code; null when a signal ended it. */
  readonly exited: Promise<number | null>;
  /** Resolves once all workers take requests. Rejects when the API ends before. */
  readonly ready: () => Promise<void>;
  readonly stop: () => Promise<number | null>;
};

const readyWithinMs = 30_000;
/** Characters: a text has a greatest length, and millions of access lines go beyond it. */
const mostKept = 2 ** 26;

/**
 * The API as its own program, on ports of its own, against a database.
 * @param root folder of the checkout it runs from
 */
export async function startApi(
  postgres: PostgresSettings,
  env: Readonly<Record<string, string>> = {},
  root = resolve('.'),
): Promise<ApiProcess> {
  const [apiPort, adminPort] = [env['API_PORT'] ?? `${await freePort()}`, env['ADMIN_PORT'] ?? `${await freePort()}`];
  const child = spawn(process.execPath, [join(root, 'api/main.ts')], {
    env: {
      ...cleanEnvironment(),
      ...compiledOnce,
      ...databaseEnvironment(postgres),
      API_PORT: apiPort,
      ADMIN_PORT: adminPort,
      ADMIN_TOKEN: adminToken,
      API_WORKERS: '2',
      AUTH_TOKEN_SECRET: 'a secret of the tests alone, 0123456789',
      BOOTSTRAP_OPERATOR_KEY: operatorKey,
      BOOTSTRAP_LOADTEST_KEY: loadtestKey,
      DB_POOL_SIZE: '5',
      DB_MAX_OVERFLOW: '5',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text;
      if (output[name].length > 2 * mostKept) output[name] = output[name].slice(-mostKept);
    });
  }
  const exited = once(child, 'close').then(([status]) => status as number | null);
  return {
    url: `http://127.0.0.1:${apiPort}`,
    adminUrl: `http://127.0.0.1:${adminPort}`,
    child,
    stdout: () => output.stdout,
    stderr: () => output.stderr,
    exited,
    ready: () => untilReady(() => output, exited),
    stop: async () => {
      child.kill('SIGTERM');
      return exited;
    },
  };
}

function databaseEnvironment(postgres: PostgresSettings): Record<string, string> {
  return {
    POSTGRES_HOST: postgres.POSTGRES_HOST,
    POSTGRES_PORT: `${postgres.POSTGRES_PORT}`,
    POSTGRES_DB: postgres.POSTGRES_DB,
    POSTGRES_USER: postgres.POSTGRES_USER,
    POSTGRES_PASSWORD: postgres.POSTGRES_PASSWORD ?? '',
  };
}

async function untilReady(output: () => { stdout: string; stderr: string }, exited: Promise<unknown>): Promise<void> {
  const isOver = exited.then(() => true);
  for (const endsAt = Date.now() + readyWithinMs; Date.now() < endsAt;) {
    if (output().stdout.includes('"api ready"')) return;
    if (await Promise.race([isOver, sleep(20, false)])) break;
  }
  throw new Error(`the API did not start: ${output().stderr}${output().stdout}`);
}

export type Answer = { readonly status: number; readonly headers: Headers; readonly body: Record<string, unknown> };

/** One request; the body of the answer is parsed when it is JSON. */
export async function call(
  url: string,
  options: { method?: string; headers?: Record<string, string>; body?: unknown } = {},
): Promise<Answer> {
  const isText = typeof options.body === 'string';
  const response = await fetch(url, {
    method: options.method ?? (options.body === undefined ? 'GET' : 'POST'),
    headers: { ...(options.body === undefined ? {} : { 'content-type': 'application/json' }), ...options.headers },
    ...(options.body === undefined ? {} : { body: isText ? (options.body as string) : JSON.stringify(options.body) }),
    signal: AbortSignal.timeout(20_000),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: parse(text) };
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return { text };
  }
}

/** Asks again until the answer is as wished. @throws the last answer after `withinMs` */
export async function eventually(ask: () => Promise<Answer>, isWished: (answer: Answer) => boolean, withinMs = 15_000): Promise<Answer> {
  let last: unknown;
  for (const endsAt = Date.now() + withinMs; Date.now() < endsAt; await sleep(50)) {
    try {
      const answer = await ask();
      if (isWished(answer)) return answer;
      last = answer;
    } catch (err) {
      last = err;
    }
  }
  throw new Error(`did not become as wished: ${last instanceof Error ? `${last.message} ${String(last.cause)}` : JSON.stringify(last)}`);
}
