import { AppError, ConfigError } from '#lib/errors.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';

/** A part of the stack ended, or never served, while the stack was starting. */
export class StartFailedError extends AppError {
  readonly code = 'START_FAILED';
  override readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode = EXIT.failed, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

export type FailedStart = {
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
