import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { AppError, messageOf } from './errors.ts';
import { redactText } from './redact.ts';

/** A program could not be started, ended with another status than 0, or ran out of time. */
export class CommandError extends AppError {
  readonly code: string = 'COMMAND_FAILED';
  /** Null when the program never ran or was ended by a signal. */
  readonly status: number | null;
  readonly stderrTail: string;

  constructor(message: string, status: number | null, stderrTail: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
    this.stderrTail = stderrTail;
  }
}

/** The program is not installed (ENOENT). */
export class CommandNotFoundError extends CommandError {
  override readonly code = 'COMMAND_NOT_FOUND';
}

export type Command = {
  readonly file: string;
  /** Never holds a secret: `ps` shows it. */
  readonly args: readonly string[];
  /** Secrets go here. The program sees these, PATH and LC_ALL=C, and nothing else of the caller's environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** On Linux it gets SIGTERM when the process that started it dies, however that dies. */
  readonly endsWithParent?: boolean;
  /** On Linux it gathers that much output before it writes: each write wakes the reader, at more cost than the bytes. */
  readonly gathersBytes?: number;
};

export type RunOptions = {
  /** The program and its children are ended with SIGTERM, then SIGKILL after 5 s. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** Consumes standard output; without it the output is collected, up to 1 MiB. */
  readonly stdout?: (stream: Readable) => Promise<unknown>;
  readonly stdin?: (stream: Writable) => Promise<unknown>;
};

const maxCollectedBytes = 1024 * 1024;
const maxStderrChars = 4_000;
const killGraceMs = 5_000;

/**
 * Runs a program without a shell, in a process group of its own.
 * Resolves only once it ended with status 0 and both stream consumers are done.
 * @throws {CommandError} with the tail of standard error, secrets hidden.
 */
export async function runCommand(command: Command, options: RunOptions): Promise<{ stdout: string }> {
  const child = startCommand(command);
  const stderr = collectTail(child.stderr);
  const collected = options.stdout ? undefined : collectHead(child.stdout);
  const limit = limitLife(child, options);
  // A program that ends early closes its pipes; its exit status tells more than the EPIPE this gives us.
  child.stdin.on('error', () => {});
  if (!options.stdin) child.stdin.end();

  const [exit, ...streams] = await Promise.allSettled([exitOf(child), options.stdout?.(child.stdout), options.stdin?.(child.stdin)]);
  limit.clear();
  if (exit.status === 'rejected') throw notStarted(command, exit.reason);
  const { status, signal } = exit.value;
  if (status !== 0) {
    const how = limit.reason() ?? (signal ? `was ended by ${signal}` : `ended with status ${status}`);
    const tail = redactText(stderr().trim());
    throw new CommandError(`${command.file} ${how}${tail === '' ? '' : `: ${lastLine(tail)}`}`, status, tail);
  }
  for (const stream of streams) if (stream.status === 'rejected') throw stream.reason;
  return { stdout: collected?.() ?? '' };
}

/**
 * For a process of our own that needs no settings: nothing of the caller's environment, neither secrets nor debuggers, but where
 * Node keeps what it has compiled.
 */
export function bareEnvironment(): Readonly<Record<string, string>> {
  const { NODE_COMPILE_CACHE: cache } = process.env;
  return cache === undefined ? {} : { NODE_COMPILE_CACHE: cache };
}

/** Starts a program that is to run on: no shell, a process group of its own, all three streams piped. */
export function startCommand(command: Command): ChildProcessWithoutNullStreams {
  const [file = '', ...args] = [...wrappersOf(command), command.file, ...command.args];
  return spawn(file, args, {
    env: { PATH: process.env['PATH'], LC_ALL: 'C', ...command.env },
    stdio: 'pipe',
    detached: true,
  });
}

/** Programs that set something up and then become the command. */
function wrappersOf({ endsWithParent, gathersBytes }: Command): readonly string[] {
  if (process.platform !== 'linux') return [];
  return [
    ...(endsWithParent === true ? ['setpriv', '--pdeathsig=TERM'] : []),
    ...(gathersBytes === undefined ? [] : ['stdbuf', `--output=${gathersBytes}`]),
  ];
}

type Child = ChildProcessWithoutNullStreams;

function exitOf(child: Child): Promise<{ status: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status, signal) => resolve({ status, signal }));
  });
}

function notStarted(command: Command, err: unknown): CommandError {
  if ((err as NodeJS.ErrnoException).code === 'ENOENT') {
    return new CommandNotFoundError(`${command.file} is not installed or not on PATH`, null, '', { cause: err });
  }
  return new CommandError(`${command.file} could not be started: ${messageOf(err)}`, null, '', { cause: err });
}

/** Ends the whole process group at the timeout or when the signal fires; `reason` then says which. */
function limitLife(child: Child, options: RunOptions): { clear: () => void; reason: () => string | undefined } {
  let reason: string | undefined;
  let killTimer: NodeJS.Timeout | undefined;
  const end = (why: string): void => {
    if (reason !== undefined || child.pid === undefined) return;
    reason = why;
    signalGroup(child.pid, 'SIGTERM');
    killTimer = setTimeout(() => child.pid !== undefined && signalGroup(child.pid, 'SIGKILL'), killGraceMs);
  };
  const onAbort = (): void => end('was canceled');
  const timer = setTimeout(() => end(`took longer than ${options.timeoutMs} ms`), options.timeoutMs);
  if (options.signal?.aborted) onAbort();
  options.signal?.addEventListener('abort', onAbort, { once: true });
  return {
    clear: () => {
      clearTimeout(timer);
      clearTimeout(killTimer);
      options.signal?.removeEventListener('abort', onAbort);
    },
    reason: () => reason,
  };
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch {
    // It has already ended.
  }
}

function collectTail(stream: Readable): () => string {
  let text = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    text = (text + chunk).slice(-maxStderrChars);
  });
  return () => text;
}

function collectHead(stream: Readable): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    if (bytes < maxCollectedBytes) chunks.push(chunk);
    bytes += chunk.length;
  });
  return () => Buffer.concat(chunks).toString('utf8');
}

const lastLine = (text: string): string => text.split('\n').at(-1) ?? '';
