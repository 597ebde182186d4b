import { AppError, ConfigError } from '#lib/errors.ts';
import { EXIT } from '#lib/exit-codes.ts';

/** A worker ended before it took requests, and what ended it was not its configuration. */
export class WorkerStartError extends AppError {
  readonly code = 'WORKER_START';
}

/** The error that ends the primary when a worker has told why it cannot start. */
export function startErrorFrom(problems: readonly string[], exitCode: number): AppError {
  return exitCode === EXIT.config ? new ConfigError(problems) : new WorkerStartError(problems.join('; '));
}
