import { closeSync, fstatSync, mkdirSync, openSync, renameSync, statSync, writeSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { AppError, ConfigError } from '#lib/errors.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';

export type Output = {
  /** What was written since it was opened, its last 64 KiB. */
  readonly written: () => Promise<string>;
};

const maxBytes = 10 * 1024 * 1024;
const maxReadBytes = 64 * 1024;
const newline = 10;

/**
 * Opens a program's output file for appending. One that has grown past 10 MiB is first set aside as `<file>.1`.
 * @returns with `fd` what the program gets as standard output or standard error; call `handedOver` once it has it
 */
export function openOutput(file: string): Output & { readonly fd: number; readonly handedOver: () => void } {
  const { fd, sizeBytes } = openForAppending(file);
  return { fd, handedOver: () => closeSync(fd), written: () => readFrom(file, sizeBytes) };
}

/**
 * Writes what a program says to its output file, for as long as it says something: once the file has grown past 10 MiB, and the line has
 * ended, it is set aside as `<file>.1`, and another begun. What a full disk does not take is lost, and ends neither program.
 * @returns with `ended` what resolves once the program says no more; of one that is gone, a second later at most
 */
export function keepOutput(file: string, said: readonly Readable[]): Output & { readonly ended: () => Promise<void> } {
  let { fd, sizeBytes } = openForAppending(file);
  let from = sizeBytes;
  const append = (bytes: Buffer): void => {
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
    } catch {
      // There is nobody to tell: this is where it would be told.
    }
    sizeBytes += bytes.length;
  };
  const begin = (): void => {
    try {
      const next = openForAppending(file);
      closeSync(fd);
      [fd, sizeBytes, from] = [next.fd, next.sizeBytes, 0];
    } catch {
      // As long as no other can be opened the one that is open serves.
    }
  };
  for (const stream of said)
    stream.on('data', (bytes: Buffer) => {
      const end = sizeBytes + bytes.length > maxBytes ? bytes.indexOf(newline) + 1 : 0;
      append(end > 0 ? bytes.subarray(0, end) : bytes);
      if (end === 0) return;
      begin();
      append(bytes.subarray(end));
    });
  const over = Promise.allSettled(said.map((stream) => finished(stream))).then(() => closeSync(fd));
  return { written: () => readFrom(file, from), ended: () => Promise.race([over, sleep(drainedWithinMs, undefined, { ref: false })]) };
}

/** A grandchild may hold on to what the program wrote to. */
const drainedWithinMs = 1_000;

function openForAppending(file: string): { readonly fd: number; readonly sizeBytes: number } {
  mkdirSync(dirname(file), { recursive: true });
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > maxBytes) renameSync(file, `${file}.1`);
  const fd = openSync(file, 'a', 0o640);
  return { fd, sizeBytes: fstatSync(fd).size };
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
