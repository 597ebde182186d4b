import { spawn, type ChildProcess } from 'node:child_process';
import { get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '#lib/errors.ts';
import { runAs } from '../postgres/server-account.ts';
import type { Part, RunningPart } from './keep-running.ts';
import { keepOutput, openOutput, StartFailedError, startFailure, type Output } from './program-output.ts';

export type NodeProgram = {
  readonly name: string;
  /** Absolute path of the file Node runs. */
  readonly script: string;
  /** The whole environment it sees. */
  readonly env: Readonly<Record<string, string>>;
  /** Takes its standard error, and its standard output. */
  readonly outputFile: string;
  /** True for a program that keeps log files itself: its standard output would only repeat them and is dropped. */
  readonly keepsLogFiles?: boolean;
  /** Answers 200 once the program serves. */
  readonly healthUrl: string;
  readonly startTimeoutMs: number;
  /** How long it has after SIGTERM before it and its children are killed. */
  readonly stopGraceMs: number;
};

const pollMs = 50;
const probeTimeoutMs = 5_000;
const orphanGraceMs = 1_000;

/**
 * A Node program as a part of the stack, in a process group of its own, so that a Ctrl-C meant for the stack does not
 * reach it. On Linux it ends when the stack's process dies.
 */
export function nodeProgram(program: NodeProgram): Part {
  return { name: program.name, launch: async () => launch(program) };
}

function launch(program: NodeProgram): RunningPart {
  const { child, output, said } = program.keepsLogFiles === true ? spawnSilent(program) : spawnHeard(program);
  const exited = new Promise<Exit>((resolve) => {
    child.once('error', (err) => resolve({ status: null, how: `could not be started: ${messageOf(err)}` }));
    child.once('exit', (status, signal) => resolve({ status, how: signal ? `was ended by ${signal}` : `ended with status ${status}` }));
  });
  // Its last words come after its end.
  const ended = exited.then((exit) => said().then(() => exit));
  return {
    ready: (signal) => becomesReady(program, output, ended, signal),
    ended: ended.then(({ how }) => how),
    stop: () => stop(program, child, ended),
  };
}

type Spawned = { readonly child: ChildProcess; readonly output: Output; readonly said: () => Promise<void> };

/** Says little, and holds its file itself: what it writes when the stack's process was killed arrives too. */
function spawnSilent({ script, env, outputFile }: NodeProgram): Spawned {
  const output = openOutput(outputFile);
  const { file, args } = runAs(undefined, { file: process.execPath, args: [script] });
  const child = spawn(file, args, { env, stdio: ['ignore', 'ignore', output.fd], detached: true });
  output.handedOver();
  return { child, output, said: () => Promise.resolve() };
}

/** Says something for as long as it runs. */
function spawnHeard({ script, env, outputFile }: NodeProgram): Spawned {
  const { file, args } = runAs(undefined, { file: process.execPath, args: [script] });
  const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const output = keepOutput(outputFile, [child.stdout, child.stderr]);
  return { child, output, said: output.ended };
}

type Exit = { readonly status: number | null; readonly how: string };

async function becomesReady(program: NodeProgram, output: Output, ended: Promise<Exit>, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const answered = answersInTime(program, AbortSignal.any([signal, over.signal]));
  const outcome = await Promise.race([answered, ended]);
  over.abort();
  signal.throwIfAborted();
  if (outcome === 'ready') return;
  if (outcome === 'late') {
    const seconds = program.startTimeoutMs / 1000;
    throw new StartFailedError(`${program.name} did not become healthy within ${seconds} s; see ${program.outputFile}`);
  }
  throw startFailure({ name: program.name, ...outcome, output: await output.written(), outputFile: program.outputFile });
}

async function answersInTime(program: NodeProgram, signal: AbortSignal): Promise<'ready' | 'late'> {
  const endsAt = performance.now() + program.startTimeoutMs;
  while (performance.now() < endsAt && !signal.aborted) {
    if (await answers(program.healthUrl, signal)) return 'ready';
    await sleep(pollMs, undefined, { signal }).catch(() => {});
  }
  return 'late';
}

/** Whether a GET is answered 200. Each one uses a connection of its own, so that none is left open for a stop to wait on. */
function answers(url: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false, timeout: probeTimeoutMs, signal }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(false));
  });
}

async function stop(program: NodeProgram, child: ChildProcess, ended: Promise<Exit>): Promise<void> {
  const { pid } = child;
  if (pid === undefined) return;
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
  const killTimer = setTimeout(() => signalGroup(pid, 'SIGKILL'), program.stopGraceMs);
  await ended;
  clearTimeout(killTimer);
  await endOrphans(pid);
}

/** Children of the program that are still there after it; they end by themselves or are killed. */
async function endOrphans(group: number): Promise<void> {
  const endsAt = performance.now() + orphanGraceMs;
  while (signalGroup(group, 0)) {
    if (performance.now() > endsAt) {
      signalGroup(group, 'SIGKILL');
      return;
    }
    await sleep(pollMs);
  }
}

/** False when the group has no member. */
function signalGroup(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch {
    return false;
  }
}
