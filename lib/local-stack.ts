import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Environment } from './env.ts';

/** File in LOCAL_DATA_DIR by which other commands find the stack that `npm start` runs. Mode 0600: it holds passwords. */
export const stackFileName = 'stack.json';

export type LocalStack = {
  /** The process that runs the stack. */
  readonly pid: number;
  readonly startedAt: string;
  /** Variables that lead to it: POSTGRES_*, REDIS_*, API_*, ADMIN_*, MONITOR_*, LOG_DIR, BACKUP_DIR, MONITOR_DATA_DIR. */
  readonly env: Readonly<Record<string, string>>;
};

export function localDataDir(env: Environment): string {
  return resolve(env['LOCAL_DATA_DIR'] || '.local');
}

/** The stack that runs now on this machine's LOCAL_DATA_DIR, or undefined. */
export function readLocalStack(env: Environment): LocalStack | undefined {
  try {
    const stack = JSON.parse(readFileSync(join(localDataDir(env), stackFileName), 'utf8')) as LocalStack;
    return isAlive(stack.pid) ? stack : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The environment completed from the running local stack: what the user has set wins, and a set POSTGRES_HOST says that
 * another database is meant, so that the stack is then not consulted at all.
 */
export function withLocalStack(env: Environment): Environment {
  if (env['POSTGRES_HOST'] || env['POSTGRES_HOST_FILE']) return env;
  const stack = readLocalStack(env);
  if (!stack) return env;
  const given = Object.entries(env).filter(([, value]) => value !== undefined && value !== '');
  return { ...stack.env, ...Object.fromEntries(given) };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (err) {
    return (err as NodeJS.ErrnoException).code === 'EPERM';
  }
}
