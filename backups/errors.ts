import { AppError, UnreachableError, messageOf } from '#lib/errors.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import { failureOf } from '#lib/postgres.ts';

/** Why a command of backups/ refuses to begin, before it has changed anything. */
type RefusalReason =
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
class BackupCanceledError extends AppError {
  readonly code = 'BACKUP_CANCELED';

  constructor(what: string, signal: AbortSignal) {
    const by = typeof signal.reason === 'string' ? ` by ${signal.reason}` : '';
    super(`${what} was canceled${by}; nothing was left behind`);
  }
}

/**
 * The error to report for one that ended `what`: a fired signal makes it a cancellation, a lost connection an unreachable
 * server, and a file that cannot be written or removed a failure that says what was being done. Others stay as they are.
 */
export function explainFailure(err: unknown, what: string, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return new BackupCanceledError(what, signal);
  if (err instanceof AppError) return err;
  const failure = failureOf(err);
  if (failure?.kind === 'unreachable' || failure?.sqlState?.startsWith('57P')) {
    return new UnreachableError(`${what}: the connection to PostgreSQL was lost (${messageOf(err)})`, { cause: err });
  }
  const isOfAFile = typeof (err as NodeJS.ErrnoException | null)?.syscall === 'string';
  if (!isOfAFile && failure === undefined) return err;
  return new BackupFailedError(`${what} could not be finished: ${messageOf(err)}`, { cause: err });
}
