import { AppError } from '#lib/errors.ts';
import type { Alert } from '../model/alert.ts';

/** How this sending of an alert differs from the first one. */
export type Delivery = {
  /** An earlier attempt may have arrived although nobody could record it. */
  readonly mayRepeat: boolean;
  /** This attempt could not be recorded beforehand, so after a crash it may come again. */
  readonly mayComeAgain: boolean;
  /** Time since the decision, in ms. */
  readonly delayMs: number;
  /** Alerts that never went out and that this one tells as well, oldest first. */
  readonly tellsToo: readonly Alert[];
};

/**
 * Resolves once the far side has accepted the alert.
 * @throws {AlertDeliveryError}
 */
export type SendAlert = (alert: Alert, delivery: Delivery, signal: AbortSignal) => Promise<void>;

/** A way to one receiver: several recipients are several channels, so that one who is refused holds up no other. */
export type Channel = {
  /** `slack`, `email`, or `email:ops@shop.example` where there is more than one. */
  readonly name: string;
  readonly send: SendAlert;
  /** Least time between two messages, in ms. */
  readonly minSpacingMs: number;
};

/**
 * Why an alert was not accepted.
 * `channel`: nothing gets through at present. `message`: this one was refused, which says nothing about others.
 */
export type DeliveryFailure = {
  readonly channel: string;
  readonly detail: string;
  readonly scope: 'channel' | 'message';
  /** True when only people can mend it, as with a deleted webhook: it is tried again, but rarely. */
  readonly isLasting: boolean;
  /** False when it is certain that nothing has arrived. */
  readonly mayHaveArrived?: boolean;
  /** When the far side asked to be tried again, in ms from now. */
  readonly retryAfterMs?: number | undefined;
};

/** A channel did not accept an alert, or nobody knows whether it did. */
export class AlertDeliveryError extends AppError {
  readonly code = 'ALERT_NOT_DELIVERED';
  readonly failure: DeliveryFailure;

  constructor(failure: DeliveryFailure, options?: ErrorOptions) {
    super(`${failure.channel}: ${failure.detail}`, options);
    this.failure = failure;
  }
}

const neverStood = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'EDNS']);

/** Whether a send that ended with this system error may have carried something: not over a connection that never stood. */
export const mayHaveLeft = (code: string | undefined): boolean => code === undefined || !neverStood.has(code);
