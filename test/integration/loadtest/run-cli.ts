import { spawn, type ChildProcess } from 'node:child_process';
import { resolve } from 'node:path';
import { compiledOnce } from '#test/support/clean-environment.ts';

export type Ended = { readonly status: number | null; readonly stdout: string; readonly stderr: string };

export const cli = resolve(import.meta.dirname, '../../../loadtest/cli.ts');
export const key = { LOADTEST_KEY: 'a-key-of-a-load-test-0123456789' };

/** The command line under way, in an environment of nothing but a path and what is given. */
export function startLoadtest(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const child = spawn(process.execPath, [cli, ...args], {
    env: { PATH: process.env['PATH'], ...compiledOnce, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const out = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out.stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (out.stderr += text));
  const ended = new Promise<Ended>((done) => {
    child.once('close', (status) => done({ status, ...out }));
  });
  return { child, ended };
}

export const loadtest = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> =>
  startLoadtest(args, env).ended;
