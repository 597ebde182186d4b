import { AppError } from '#lib/errors.ts';
import type { FieldError } from '../errors.ts';

/** What HTTP itself refuses, before or around a handler. Statuses and titles stand in `problem`. */
export type RefusalCode =
  | 'malformed_request'
  | 'malformed_json'
  | 'request_timeout'
  | 'payload_too_large'
  | 'headers_too_large'
  | 'unsupported_media_type'
  | 'not_found'
  | 'method_not_allowed'
  | 'rate_limited'
  | 'overloaded'
  | 'draining';

export type RefusalDetails = {
  readonly errors?: readonly FieldError[];
  readonly headers?: Readonly<Record<string, string>>;
  /** Further members of the problem document. */
  readonly extensions?: Readonly<Record<string, unknown>>;
};

/** A request refused by the HTTP layer. The message is the problem's `detail`: it never repeats what the client sent. */
export class RequestRefusedError extends AppError {
  readonly code: RefusalCode;
  readonly errors: readonly FieldError[];
  readonly headers: Readonly<Record<string, string>>;
  readonly extensions: Readonly<Record<string, unknown>>;

  constructor(code: RefusalCode, detail: string, details: RefusalDetails = {}) {
    super(detail);
    this.code = code;
    this.errors = details.errors ?? [];
    this.headers = details.headers ?? {};
    this.extensions = details.extensions ?? {};
  }
}

/** The client closed the connection before the whole request had arrived. There is nobody to answer. */
export class ClientGoneError extends Error {
  constructor() {
    super('the client went away');
    this.name = 'ClientGoneError';
  }
}
