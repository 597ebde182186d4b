import { EXIT, type ExitCode } from './exit-codes.ts';

/**
 * Base of every error thrown on purpose. The message is one line for people: what, where and how to mend it.
 * `code` is stable: logs, alerts and HTTP bodies carry it.
 */
export abstract class AppError extends Error {
  abstract readonly code: string;
  /** What a command line exits with when this error ends it. */
  readonly exitCode: ExitCode = EXIT.failed;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** The command line was misused: unknown command, unknown flag, missing argument. */
export class UsageError extends AppError {
  readonly code = 'USAGE';
  override readonly exitCode = EXIT.usage;
}

/** Settings that cannot be used. `problems` holds one line each; none contains a secret. */
export class ConfigError extends AppError {
  readonly code = 'CONFIG_INVALID';
  override readonly exitCode = EXIT.config;
  readonly problems: readonly string[];

  constructor(problems: readonly string[], options?: ErrorOptions) {
    super(problems.join('\n'), options);
    this.problems = problems;
  }
}

/** Nothing usable answers at an address the work depends on. */
export class UnreachableError extends AppError {
  readonly code = 'TARGET_UNREACHABLE';
  override readonly exitCode = EXIT.unreachable;
}

/** Another run holds the lock; its holder is named in the message. */
export class BusyError extends AppError {
  readonly code = 'BUSY';
  override readonly exitCode = EXIT.busy;
}

/** The message of anything thrown, on one line. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.errors.length > 0 && !thrown.message) return messageOf(thrown.errors[0]);
  return thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
}
