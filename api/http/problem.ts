import { failureOf, type FailureKind } from '#lib/postgres.ts';
import { CommitUnknownError } from '../db/tx.ts';
import { ApiError, problemTypes, type ProblemCode, type ProblemType } from '../errors.ts';

export type Problem = {
  readonly error: ApiError;
  /** `defect`: a fault of ours, logged in full. `outage`: something we depend on fails, logged in short. */
  readonly nature: 'refusal' | 'outage' | 'defect';
};

/** What any thrown thing is to a client. Nothing of an unknown error reaches the document. Pure. */
export function toProblem(thrown: unknown): Problem {
  if (thrown instanceof ApiError) return { error: thrown, nature: 'refusal' };
  if (thrown instanceof CommitUnknownError) {
    return { error: new ApiError('outcome_unknown', 'The change was made whole, or not at all; which, is not known.'), nature: 'outage' };
  }
  const kind = failureOf(thrown)?.kind;
  // A value PostgreSQL cannot take, such as a number out of its range: the input's fault, wherever it slipped through.
  if (kind === 'bad-value')
    return { error: new ApiError('validation_failed', 'A value cannot be held by the database.'), nature: 'refusal' };
  const outage = kind && outages[kind];
  if (outage) return { error: new ApiError(...outage), nature: 'outage' };
  return { error: new ApiError('internal', 'The request failed; the failure is logged under this request id.'), nature: 'defect' };
}

/** Failures of the database that are nobody's fault in the code. Each happens before a commit is asked for, so nothing was done. */
const outages: Partial<Record<FailureKind, readonly [ProblemCode, detail: string]>> = {
  'pool-timeout': ['overloaded', 'No database connection became free in time.'],
  'too-many-connections': ['overloaded', 'The database takes no more connections.'],
  'too-slow': ['overloaded', 'The database did not answer in time.'],
  conflict: ['overloaded', 'Others changed the same at the same time.'],
  unreachable: ['database_unavailable', 'The database cannot be reached.'],
  'refused-for-now': ['database_unavailable', 'The database is not ready.'],
  credentials: ['database_unavailable', 'The database is not ready.'],
  'no-database': ['database_unavailable', 'The database is not ready.'],
  'not-migrated': ['database_unavailable', 'The database is not ready.'],
  'read-only': ['database_unavailable', 'The database is not ready.'],
};

/** Whoever sends ten thousand faults is not sent as many back. */
const maxErrors = 20;
const maxPointerLength = 200;

/** The public document, RFC 9457. @see https://www.rfc-editor.org/rfc/rfc9457 */
export function problemDocument({ code, message, errors, extensions }: ApiError, requestId: string): string {
  const { status, title, type = `/problems/${code}` } = problemTypes[code] as ProblemType;
  const named = errors.slice(0, maxErrors).map(({ pointer, ...error }) => ({ pointer: pointer.slice(0, maxPointerLength), ...error }));
  const omitted = errors.length > maxErrors ? { errors_omitted: errors.length - maxErrors } : {};
  const standard = { type, title, status, detail: message, code, errors: named };
  // Once more at the end: an extension takes the place of none of them.
  return JSON.stringify({ ...standard, ...omitted, ...extensions, ...standard, request_id: requestId });
}
