import { AppError } from '#lib/errors.ts';

/**
 * Errors that commands throw. They know nothing of HTTP: `http/problem` maps each `code` to a status and presents it.
 * `docs/errors.md` lists every code.
 */
export abstract class DomainError extends AppError {
  abstract override readonly code: string;
  /** Where in the input the fault lies, as JSON pointers with a message each. */
  readonly errors: readonly FieldError[];
  /** Further public members of the problem document; never a secret or SQL text. */
  readonly extensions: Readonly<Record<string, unknown>>;

  constructor(
    message: string,
    details: { errors?: readonly FieldError[]; extensions?: Readonly<Record<string, unknown>> } = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.errors = details.errors ?? [];
    this.extensions = details.extensions ?? {};
  }
}

/** One fault in the input: `pointer` is an RFC 6901 JSON pointer into the body, or a query or path parameter's name. */
export type FieldError = { readonly pointer: string; readonly message: string };

/** 404: the addressed thing, or one the body refers to, does not exist or is not visible to the caller. */
export class NotFoundError extends DomainError {
  readonly code = 'not_found';
}

/** 409: a unique value is taken. */
export class DuplicateError extends DomainError {
  readonly code = 'duplicate';
}

/** 409: the thing is still referred to, so it cannot be deleted. */
export class InUseError extends DomainError {
  readonly code = 'in_use';
}

/** 409: fewer pieces in stock than asked for. Nothing was changed. */
export class InsufficientStockError extends DomainError {
  readonly code = 'insufficient_stock';
}

/** 409: the client counted on another price or total than the current one. */
export class PriceMismatchError extends DomainError {
  readonly code = 'price_mismatch';
}

/** 409: the order's state does not allow the move. */
export class IllegalTransitionError extends DomainError {
  readonly code = 'illegal_transition';
}

/** 412: If-Match names another version than the current one. */
export class VersionMismatchError extends DomainError {
  readonly code = 'version_mismatch';
}

/** 422: well-formed input that cannot be accepted; `errors` says where. */
export class ValidationError extends DomainError {
  readonly code = 'validation_failed';
}

/** 401: no credential, or one that is unknown, expired or revoked. */
export class UnauthenticatedError extends DomainError {
  readonly code = 'unauthenticated';
}

/** 403: known, but not allowed. */
export class ForbiddenError extends DomainError {
  readonly code = 'forbidden';
}

/** 400: the Idempotency-Key is missing where demanded, or malformed. */
export class IdempotencyKeyError extends DomainError {
  readonly code = 'idempotency_key_invalid';
}

/** 409: a request with the same Idempotency-Key is still being worked on. */
export class IdempotencyInFlightError extends DomainError {
  readonly code = 'idempotency_in_flight';
}

/** 422: the Idempotency-Key was used before for another request. */
export class IdempotencyReuseError extends DomainError {
  readonly code = 'idempotency_key_reused';
}

/** 503: more work of this kind is waiting than can be done soon; trying again in a moment helps. */
export class OverloadedError extends DomainError {
  readonly code = 'overloaded';
}
