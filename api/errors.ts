import { AppError } from '#lib/errors.ts';

/** What the public is told of one code. */
export type ProblemType = {
  readonly status: number;
  readonly title: string;
  readonly meaning: string;
  /** What the client does about it; empty when there is nothing. */
  readonly cure: string;
  /** A registered type; by default `/problems/<code>`. */
  readonly type?: string;
  /** Every answer of this code carries these. */
  readonly headers?: Readonly<Record<string, string>>;
};

const ask1sLater = { 'Retry-After': '1' };

/** Every way in which the API refuses or fails, by its code. `docs/errors.md` is made from it. */
export const problemTypes = {
  malformed_request: { status: 400, title: 'Malformed request', meaning: 'What arrived is not HTTP.', cure: 'Mend the client.' },
  malformed_json: {
    status: 400,
    title: 'Malformed JSON',
    meaning: 'The body is empty, not JSON, not UTF-8, or nested more than 20 levels deep.',
    cure: 'Mend the body; `detail` tells line and column where they are known.',
  },
  idempotency_key_invalid: {
    status: 400,
    title: 'Invalid Idempotency-Key',
    meaning: '`Idempotency-Key` is malformed, or missing where `IDEMPOTENCY_REQUIRED` is set.',
    cure: 'Send 1 to 255 visible ASCII characters, such as a UUID.',
  },
  unauthenticated: {
    status: 401,
    title: 'Authentication required',
    meaning: 'No credential, or one that is unknown, expired or revoked.',
    cure: 'Log in again, or send an API key.',
    headers: { 'WWW-Authenticate': 'Bearer' },
  },
  forbidden: { status: 403, title: 'Forbidden', meaning: 'The credential is good, but not for this.', cure: 'Use another one.' },
  not_found: { status: 404, title: 'Not found', meaning: 'Nothing is under this path, or it is not yours to see.', cure: '' },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    meaning: 'The path exists, but not for this method.',
    cure: '`Allow` lists the methods.',
  },
  request_timeout: { status: 408, title: 'Request timeout', meaning: 'The request did not arrive in time.', cure: 'Send it again.' },
  duplicate: {
    status: 409,
    title: 'Already exists',
    meaning: 'A value that must be unique is taken.',
    cure: 'Choose another; `errors` names the field.',
  },
  in_use: {
    status: 409,
    title: 'Still in use',
    meaning: 'It cannot be deleted while others refer to it.',
    cure: 'Remove those first.',
  },
  insufficient_stock: {
    status: 409,
    title: 'Insufficient stock',
    meaning: 'Fewer pieces than ordered. Nothing was changed.',
    cure: 'Order fewer; the document names what is available.',
  },
  price_mismatch: {
    status: 409,
    title: 'Price mismatch',
    meaning: 'The total sent is not the current one. Nothing was changed.',
    cure: 'Read the prices again.',
  },
  illegal_transition: {
    status: 409,
    title: 'Not possible in this state',
    meaning: 'The state of the order does not allow it. Nothing was changed.',
    cure: '`order_status` tells the state it is in, `allowed_status` what it may become.',
  },
  idempotency_in_flight: {
    status: 409,
    title: 'Request in flight',
    meaning: 'A request with this `Idempotency-Key` is still being worked on.',
    cure: 'Ask again after `Retry-After`.',
    headers: ask1sLater,
  },
  gone: {
    status: 410,
    title: 'Gone',
    meaning: 'What this `Idempotency-Key` made has been deleted since, and its answer erased.',
    cure: 'Use a new key to make it anew.',
  },
  version_mismatch: {
    status: 412,
    title: 'Version mismatch',
    meaning: '`If-Match`, or `version` in the body, names another version than the current one.',
    cure: 'Read again, and decide again.',
  },
  payload_too_large: { status: 413, title: 'Payload too large', meaning: 'The body has more than 256 KiB.', cure: 'Send less.' },
  unsupported_media_type: {
    status: 415,
    title: 'Unsupported media type',
    meaning: 'The body is of another type than `application/json` in UTF-8, or compressed.',
    cure: 'Set `Content-Type: application/json`.',
  },
  expectation_failed: {
    status: 417,
    title: 'Expectation failed',
    meaning: '`Expect` asks for something other than `100-continue`.',
    cure: 'Leave the header out.',
  },
  validation_failed: {
    status: 422,
    title: 'Validation failed',
    meaning: 'Well-formed, but not acceptable: wrong type, out of range, unknown field or parameter.',
    cure: '`errors` says where and why; of more than 20 faults `errors_omitted` counts the rest.',
  },
  idempotency_key_reused: {
    status: 422,
    title: 'Idempotency-Key reused',
    meaning: 'This `Idempotency-Key` was used for another request.',
    cure: 'Use a new key for a new request.',
  },
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    meaning: 'A limit is used up.',
    cure: 'Wait `Retry-After` seconds; then one request is allowed.',
    type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
  },
  precondition_required: {
    status: 428,
    title: 'Precondition required',
    meaning: 'A change or deletion without `If-Match` or `version`, where `IF_MATCH_REQUIRED` is set.',
    cure: 'Read it, and send its `ETag` in `If-Match`, or its `version` in the body of the change.',
  },
  headers_too_large: { status: 431, title: 'Headers too large', meaning: 'The headers exceed 16 KiB.', cure: 'Send less.' },
  internal: {
    status: 500,
    title: 'Internal error',
    meaning: 'A fault of the API. It is logged in full under the request id.',
    cure: 'Report the request id.',
  },
  not_configured: {
    status: 501,
    title: 'Not configured',
    meaning: 'Whoever runs the API has not set up what this needs: for a new password by mail, a mail server (`MAIL_SMTP_URL`).',
    cure: 'Ask the shop.',
  },
  overloaded: {
    status: 503,
    title: 'Overloaded',
    meaning: 'More work than the server can take, or no database connection in time.',
    cure: 'Ask again after `Retry-After`.',
    type: 'https://iana.org/assignments/http-problem-types#temporary-reduced-capacity',
    headers: ask1sLater,
  },
  draining: {
    status: 503,
    title: 'Shutting down',
    meaning: 'This process is shutting down and did not begin the request.',
    cure: 'Ask again: another process answers.',
    headers: ask1sLater,
  },
  database_unavailable: {
    status: 503,
    title: 'Database unavailable',
    meaning: 'The database cannot be reached, is starting, or is not migrated.',
    cure: 'Ask again after `Retry-After`.',
    headers: ask1sLater,
  },
  outcome_unknown: {
    status: 504,
    title: 'Outcome unknown',
    meaning: 'The connection to the database broke while the change was being committed: it was made whole, or not at all.',
    cure: 'Repeat it under the same `Idempotency-Key`; without one, look whether it was made.',
  },
} as const satisfies Readonly<Record<string, ProblemType>>;

export type ProblemCode = keyof typeof problemTypes;

/** One fault in the input: `pointer` is an RFC 6901 JSON pointer into the body, or a query or path parameter's name. */
export type FieldError = { readonly pointer: string; readonly message: string };

export type ErrorDetails = {
  /** Where in the input the fault lies. */
  readonly errors?: readonly FieldError[];
  /** Further public members of the problem document; never a secret or SQL text. */
  readonly extensions?: Readonly<Record<string, unknown>>;
  /** Of the answer, such as Retry-After. */
  readonly headers?: Readonly<Record<string, string>>;
};

/** A refusal on purpose. The message is the problem document's `detail`: it never repeats what the client sent. */
export class ApiError extends AppError {
  readonly code: ProblemCode;
  readonly errors: readonly FieldError[];
  readonly extensions: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: ProblemCode,
    detail: string,
    { errors = [], extensions = {}, headers = {} }: ErrorDetails = {},
    options?: ErrorOptions,
  ) {
    // Thrown on purpose and told by its code: a stack would cost a refusal a seventh of its CPU, and nobody reads it.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(detail, options);
    Error.stackTraceLimit = stackTraceLimit;
    this.code = code;
    this.errors = errors;
    this.extensions = extensions;
    this.headers = { ...(problemTypes[code] as ProblemType).headers, ...headers };
  }
}

/** The client closed the connection before the whole request had arrived. There is nobody to answer. */
export class ClientGoneError extends Error {
  override readonly name = 'ClientGoneError';

  constructor() {
    super('the client went away');
  }
}
