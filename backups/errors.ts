import { AppError, UnreachableError, messageOf } from '#lib/errors.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';

/** Why a command of backups/ refuses to begin, before it has changed anything. */
export type RefusalReason =
  | 'tool-missing'
  | 'tool-too-old'
  | 'directory-not-writable'
  | 'no-space'
  | 'standby'
  | 'table-not-readable'
  | 'may-not-create-databases'
  | 'server-too-old'
  | 'roles-missing'
  | 'set-damaged'
  | 'target-not-empty'
  | 'target-in-use';

const configurationFaults: ReadonlySet<RefusalReason> = new Set(['tool-missing', 'tool-too-old', 'directory-not-writable']);

/** A check made beforehand failed; nothing was changed. */
export class BackupRefusedError extends AppError {
  readonly code = 'BACKUP_REFUSED';
  readonly reason: RefusalReason;
  override readonly exitCode: ExitCode;

  constructor(reason: RefusalReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
    this.exitCode = configurationFaults.has(reason) ? EXIT.config : EXIT.failed;
  }
}

/** No set of that id, or none at all. */
export class BackupNotFoundError extends AppError {
  readonly code = 'BACKUP_NOT_FOUND';
}

/** The work began and could not be finished; what it had made so far was removed. */
export class BackupFailedError extends AppError {
  readonly code = 'BACKUP_FAILED';
}

/** The caller's signal ended the work; what it had made so far was removed. */
export class BackupCanceledError extends AppError {
  readonly code = 'BACKUP_CANCELED';

  constructor(what: string, signal: AbortSignal) {
    const by = typeof signal.reason === 'string' ? ` by ${signal.reason}` : '';
    super(`${what} was canceled${by}; nothing was left behind`);
  }
}

const lostConnection =
  /^Connection terminated|^Client has encountered a connection error|terminating connection|server closed the connection/;

/**
 * The error to report for one that ended `what`: a fired signal makes it a cancellation, a lost connection makes it an
 * unreachable server, and anything else stays as it is.
 */
export function explainFailure(err: unknown, what: string, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return new BackupCanceledError(what, signal);
  if (!(err instanceof AppError) && lostConnection.test(messageOf(err))) {
    return new UnreachableError(`${what}: the connection to PostgreSQL was lost (${messageOf(err)})`, { cause: err });
  }
  return err;
}
