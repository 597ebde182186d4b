import { closeSync, fstatSync, mkdirSync, openSync, renameSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { AppError, ConfigError } from '#lib/errors.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';

export type Output = {
  /** Give it to the program as standard output or standard error. */
  readonly fd: number;
  /** Call it once the program has it. */
  readonly handedOver: () => void;
  /** What was written since it was opened, its last 64 KiB. */
  readonly written: () => Promise<string>;
};

const maxBytes = 10 * 1024 * 1024;
const maxReadBytes = 64 * 1024;

/** Opens a program's output file for appending. One that has grown past 10 MiB is first set aside as `<file>.1`. */
export function openOutput(file: string): Output {
  mkdirSync(dirname(file), { recursive: true });
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > maxBytes) renameSync(file, `${file}.1`);
  const fd = openSync(file, 'a', 0o640);
  const start = fstatSync(fd).size;
  return { fd, handedOver: () => closeSync(fd), written: () => readFrom(file, start) };
}

async function readFrom(file: string, start: number): Promise<string> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const from = Math.max(start, size - maxReadBytes);
    const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(Math.max(0, size - from)), position: from });
    return buffer.toString('utf8', 0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** A part of the stack ended, or never served, while the stack was starting. */
export class StartFailedError extends AppError {
  readonly code = 'START_FAILED';
  override readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = EXIT.failed, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

type FailedStart = {
  readonly name: string;
  readonly status: number | null;
  /** As in "ended with status 1". */
  readonly how: string;
  /** What the program wrote to its output. */
  readonly output: string;
  /** Where more of it stands. */
  readonly outputFile?: string;
};

const errorPrefix = 'error: ';

/** The line of an uncaught error that says what it is; the code before it and the stack after it do not help people. */
const uncaughtError = /^(?:[A-Z]\w*)?Error(?: \[\w+\])?: /;

/**
 * What to tell of a program that ended before it served: the lines it called errors itself, with its exit code; else
 * its last line and where to read on. Pure.
 */
export function startFailure({ name, status, how, output, outputFile }: FailedStart): AppError {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const errors = lines.filter((line) => line.startsWith(errorPrefix)).map((line) => line.slice(errorPrefix.length));
  if (status === EXIT.config && errors.length > 0) return new ConfigError(errors);
  const exitCode = Object.values(EXIT).find((code) => code === status && code !== EXIT.done) ?? EXIT.failed;
  const reason = (errors.at(-1) ?? lines.find((line) => uncaughtError.test(line)) ?? lines.at(-1))?.trim().slice(0, 300);
  const where = outputFile === undefined ? '' : `; see ${outputFile}`;
  return new StartFailedError(`${name} ${how}${reason === undefined ? '' : `: ${reason}`}${where}`, exitCode);
}
