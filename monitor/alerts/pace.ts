import { backoffDelayMs, type Backoff } from '#lib/retry.ts';
import type { Moment } from '../model/look.ts';
import type { DeliveryFailure } from './channel.ts';
import type { Outcome, QueuedMessage } from './outbox.ts';

/** How a channel has fared since it last accepted something, or since this process began. */
export type Pace = {
  /** Nothing is sent before this moment of the clock that never jumps. */
  readonly notBeforeMs: number;
  /** Failures in a row that concern the whole channel. */
  readonly failures: number;
  /** The first failure of any kind, and what was said at the last one. */
  readonly failingSince: Moment | undefined;
  readonly lastError: string | undefined;
  /** True once only people can mend it. */
  readonly isLasting: boolean;
  /** False until the first answer. */
  readonly hasAccepted: boolean;
};

export const freshPace: Pace = {
  notBeforeMs: 0,
  failures: 0,
  failingSince: undefined,
  lastError: undefined,
  isLasting: false,
  hasAccepted: false,
};

/** Longest that a far side's Retry-After is believed. */
const longestRetryAfterMs = 15 * 60_000;
/** What only people can mend is tried again all the same: nobody tells the monitor when they have. */
const rarely: Backoff = { firstDelayMs: 5 * 60_000, maxDelayMs: 3_600_000, jitter: 0.5 };
/** What has surely not arrived is tried again this often: people wait for it, and one small request burdens nobody. */
const soonAgainMs = 4_000;
/** Refusals of one message after which it is set aside, some three hours in either case. */
const mostRefusals = { passing: 40, lasting: 6 };
/** A channel that accepts nothing for longer is broken, whatever it says. */
const brokenAfterMs = 10 * 60_000;

export function paceAfterSuccess(now: Moment, minSpacingMs: number): Pace {
  return { ...freshPace, hasAccepted: true, notBeforeMs: now.clockMs + minSpacingMs };
}

type Circumstances = { readonly now: Moment; readonly backoff: Backoff; readonly random: number; readonly minSpacingMs: number };

/**
 * What a failure means for its channel and for its message. A failure of the channel puts everything off; the refusal of a
 * message only that one, until it was refused so often that it is set aside. Nothing is given up at its first refusal. Pure.
 */
export function afterFailure(
  pace: Pace,
  message: QueuedMessage,
  failure: DeliveryFailure,
  { now, backoff, random, minSpacingMs }: Circumstances,
): { readonly pace: Pace; readonly outcome: Outcome } {
  const concernsChannel = failure.scope === 'channel';
  const failures = concernsChannel ? pace.failures + 1 : pace.failures;
  const refusals = concernsChannel ? message.refusals : message.refusals + 1;
  const delayMs =
    failure.retryAfterMs === undefined
      ? backoffDelayMs(concernsChannel ? failures : refusals, backoffOf(failure, backoff), random)
      : Math.min(failure.retryAfterMs, longestRetryAfterMs);
  const isSetAside = refusals >= (failure.isLasting ? mostRefusals.lasting : mostRefusals.passing);
  return {
    pace: {
      ...pace,
      notBeforeMs: now.clockMs + (concernsChannel ? delayMs : minSpacingMs),
      failures,
      failingSince: pace.failingSince ?? now,
      lastError: failure.detail,
      isLasting: pace.isLasting || failure.isLasting,
    },
    outcome: {
      state: isSetAside ? 'failed' : 'pending',
      refusals,
      lastError: failure.detail,
      notBeforeMs: concernsChannel ? message.notBeforeMs : now.clockMs + delayMs,
      isUncertain: message.isUncertain || (failure.mayHaveArrived ?? false),
    },
  };
}

function backoffOf({ isLasting, scope, mayHaveArrived = false }: DeliveryFailure, backoff: Backoff): Backoff {
  if (isLasting) return rarely;
  return scope === 'message' || mayHaveArrived ? backoff : { ...backoff, maxDelayMs: Math.min(soonAgainMs, backoff.maxDelayMs) };
}

/** Since when the channel takes nothing, in ms of the epoch; undefined while it works or may soon. Pure. */
export function brokenSince({ failingSince, isLasting }: Pace, now: Moment): number | undefined {
  if (!failingSince) return undefined;
  return isLasting || now.clockMs - failingSince.clockMs >= brokenAfterMs ? failingSince.at : undefined;
}
