import { AppError } from '#lib/errors.ts';
import type { Alert, Delivery } from './alert.ts';

/**
 * Resolves once the far side has accepted the alert.
 * @throws {AlertDeliveryError}
 */
export type SendAlert = (alert: Alert, delivery: Delivery, signal: AbortSignal) => Promise<void>;

/** A way to people. */
export type Channel = {
  readonly name: 'slack' | 'email';
  readonly send: SendAlert;
  /** Least time between two messages, in ms. */
  readonly minSpacingMs: number;
};

export type DeliveryFailure = {
  readonly channel: string;
  readonly detail: string;
  /** False when trying again cannot help, such as with a deleted webhook. */
  readonly isRetryable: boolean;
  /** When the far side asked to be tried again, in ms from now. */
  readonly retryAfterMs?: number | undefined;
};

/** A channel did not accept an alert, or nobody knows whether it did. */
export class AlertDeliveryError extends AppError {
  readonly code = 'ALERT_NOT_DELIVERED';
  readonly isRetryable: boolean;
  readonly retryAfterMs: number | undefined;

  constructor(failure: DeliveryFailure, options?: ErrorOptions) {
    super(`${failure.channel}: ${failure.detail}`, options);
    this.isRetryable = failure.isRetryable;
    this.retryAfterMs = failure.retryAfterMs;
  }
}

/**
 * Statuses of an HTTP channel that may pass: the rest of 4xx tells of a request or an address that stays wrong.
 * @see https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 */
export function isRetryableStatus(status: number): boolean {
  return status === 408 || status === 425 || status === 429 || status >= 500;
}

/** Retry-After as ms from now: whole seconds or an HTTP date. Undefined when absent or unreadable. Pure. */
export function parseRetryAfter(value: string | null, now: number): number | undefined {
  if (value === null || value.trim() === '') return undefined;
  if (/^\d+$/.test(value.trim())) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
