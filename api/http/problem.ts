import { SQLSTATE, sqlStateOf } from '#lib/postgres.ts';
import { DomainError, type FieldError } from '../errors.ts';
import { RequestRefusedError } from './http-errors.ts';

/** Every problem the API answers with: code → status and title. `docs/errors.md` lists them; a test holds the two together. */
export const problemTypes = {
  malformed_request: [400, 'Malformed request'],
  malformed_json: [400, 'Malformed JSON'],
  idempotency_key_invalid: [400, 'Invalid Idempotency-Key'],
  unauthenticated: [401, 'Authentication required'],
  forbidden: [403, 'Forbidden'],
  not_found: [404, 'Not found'],
  method_not_allowed: [405, 'Method not allowed'],
  request_timeout: [408, 'Request timeout'],
  duplicate: [409, 'Already exists'],
  in_use: [409, 'Still in use'],
  insufficient_stock: [409, 'Insufficient stock'],
  price_mismatch: [409, 'Price mismatch'],
  illegal_transition: [409, 'Illegal transition'],
  idempotency_in_flight: [409, 'Request in flight'],
  version_mismatch: [412, 'Version mismatch'],
  payload_too_large: [413, 'Payload too large'],
  unsupported_media_type: [415, 'Unsupported media type'],
  validation_failed: [422, 'Validation failed'],
  idempotency_key_reused: [422, 'Idempotency-Key reused'],
  rate_limited: [429, 'Too many requests'],
  headers_too_large: [431, 'Headers too large'],
  internal: [500, 'Internal error'],
  overloaded: [503, 'Overloaded'],
  draining: [503, 'Shutting down'],
  database_unavailable: [503, 'Database unavailable'],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ProblemCode = keyof typeof problemTypes;

export type Problem = {
  readonly code: ProblemCode;
  readonly detail: string;
  readonly errors: readonly FieldError[];
  readonly extensions: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  /** `defect`: a fault of ours, logged in full. `outage`: something we depend on fails, logged in short. */
  readonly nature: 'refusal' | 'outage' | 'defect';
};

const ask1sLater = { 'Retry-After': '1' };

/** What any thrown thing is to a client. Nothing of an unknown error reaches the document. */
export function toProblem(thrown: unknown): Problem {
  if (thrown instanceof DomainError) return domainProblem(thrown);
  if (thrown instanceof RequestRefusedError) return { ...pick(thrown), code: thrown.code, headers: thrown.headers, nature: 'refusal' };
  return databaseProblem(thrown) ?? plain('internal', 'The request failed; the failure is logged under this request id.', 'defect');
}

/** The public document, RFC 9457. @see https://www.rfc-editor.org/rfc/rfc9457 */
export function problemDocument(problem: Problem, requestId: string): string {
  const [status, title] = problemTypes[problem.code];
  return JSON.stringify({
    type: `/problems/${problem.code}`,
    title,
    status,
    detail: problem.detail,
    code: problem.code,
    errors: problem.errors,
    ...problem.extensions,
    request_id: requestId,
  });
}

const pick = (err: DomainError | RequestRefusedError): Pick<Problem, 'detail' | 'errors' | 'extensions'> => ({
  detail: err.message,
  errors: err.errors,
  extensions: err.extensions,
});

function domainProblem(err: DomainError): Problem {
  const isKnown = Object.hasOwn(problemTypes, err.code);
  if (!isKnown) return plain('internal', 'The request failed; the failure is logged under this request id.', 'defect');
  const code = err.code as ProblemCode;
  return { ...pick(err), code, headers: domainHeaders(code), nature: 'refusal' };
}

function domainHeaders(code: ProblemCode): Problem['headers'] {
  if (code === 'unauthenticated') return { 'WWW-Authenticate': 'Bearer' };
  return code === 'idempotency_in_flight' || code === 'overloaded' ? ask1sLater : {};
}

function plain(code: ProblemCode, detail: string, nature: Problem['nature'], headers: Problem['headers'] = {}): Problem {
  return { code, detail, errors: [], extensions: {}, headers, nature };
}

/** Failures of the database that are nobody's fault in the code: unreachable, full, too slow, not migrated. */
function databaseProblem(wrapped: unknown): Problem | undefined {
  // Objection wraps what the driver throws.
  const thrown = (wrapped as { nativeError?: unknown } | null | undefined)?.nativeError ?? wrapped;
  if (isPoolTimeout(thrown)) return plain('overloaded', 'No database connection became free in time.', 'outage', ask1sLater);
  if (isConnectionFailure(thrown)) return plain('database_unavailable', 'The database cannot be reached.', 'outage', ask1sLater);
  const state = sqlStateOf(thrown);
  if (state === undefined) return undefined;
  if (state === SQLSTATE.tooManyConnections) return plain('overloaded', 'The database takes no more connections.', 'outage', ask1sLater);
  if (slowStates.has(state)) return plain('overloaded', 'The database did not answer in time.', 'outage', ask1sLater);
  if (isOutage(state)) return plain('database_unavailable', 'The database is not ready.', 'outage', ask1sLater);
  // A value PostgreSQL cannot take, such as a number out of its range: the input's fault, wherever it slipped through.
  if (state.startsWith('22')) return plain('validation_failed', 'A value is out of the range the database can hold.', 'refusal');
  return undefined;
}

const slowStates: ReadonlySet<string> = new Set([
  SQLSTATE.queryCanceled,
  SQLSTATE.lockNotAvailable,
  SQLSTATE.deadlockDetected,
  SQLSTATE.serializationFailure,
]);

/** Classes 08 (connection) and 57P (shutting down, starting), wrong credentials, read-only standby, schema not migrated. */
function isOutage(state: string): boolean {
  if (state.startsWith('08') || state.startsWith('57P') || state.startsWith('28') || state.startsWith('53')) return true;
  return state === SQLSTATE.databaseDoesNotExist || state === SQLSTATE.undefinedTable || state === '42703' || state === '25006';
}

const socketCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EPIPE']);

function isConnectionFailure(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  if (socketCodes.has(String((thrown as NodeJS.ErrnoException).code))) return true;
  if (thrown instanceof AggregateError) return thrown.errors.some(isConnectionFailure);
  // pg throws these without a code.
  return /^(?:Connection terminated|Client has encountered a connection error|timeout expired)/.test(thrown.message);
}

function isPoolTimeout(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.message === 'timeout exceeded when trying to connect';
}
