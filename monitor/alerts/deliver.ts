import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '#lib/errors.ts';
import type { Logger } from '#lib/logger.ts';
import { backoffDelayMs, type Backoff } from '#lib/retry.ts';
import type { ReachFailPoint } from '../fail-point.ts';
import type { Outbox, OutboxMessage } from '../store/store.ts';
import { createWakeup, type Wakeup } from '../health/wakeup.ts';
import { alertTitle } from './alert.ts';
import { AlertDeliveryError, type Channel } from './channel.ts';

export type DeliveryDeps = {
  readonly channel: Channel;
  readonly outbox: Outbox;
  readonly backoff: Backoff;
  readonly now: () => number;
  readonly random: () => number;
  readonly reachFailPoint: ReachFailPoint;
  readonly logger: Logger;
};

export type DeliveryLoop = {
  /** Says that the outbox holds something new. */
  readonly wake: () => void;
  /** Delivers until the signal fires; then lets the send under way finish, for at most `stopGraceMs`. */
  readonly run: (signal: AbortSignal) => Promise<void>;
};

/** Longest one send may take, whatever the channel's own timeouts. */
const sendTimeoutMs = 20_000;
const stopGraceMs = 4_000;
/** Longest that a far side's Retry-After is believed. */
const longestRetryAfterMs = 15 * 60_000;
/** How long an idle loop sleeps, and how long it waits when the store does not answer. */
const idleMs = 60_000;
const storeRetryMs = 1_000;

/**
 * Sends the messages of one channel, in order, each until it was accepted or can never be. A message is marked sent
 * after the channel accepted it: a crash in between repeats it under the same id, and none is lost.
 */
export function createDeliveryLoop(deps: DeliveryDeps): DeliveryLoop {
  const wakeup = createWakeup();
  return {
    wake: wakeup.wake,
    run: async (signal) => {
      let isStoreWell = true;
      while (!signal.aborted) {
        let pauseMs = storeRetryMs;
        try {
          pauseMs = await deliverNext(deps, signal);
          isStoreWell = true;
        } catch (err) {
          if (isStoreWell) deps.logger.error({ err, channel: deps.channel.name }, 'the outbox does not answer');
          isStoreWell = false;
        }
        await pause(wakeup, pauseMs, signal);
      }
    },
  };
}

/** A new message ends the idle sleep, but neither a backoff nor the spacing of the channel. */
async function pause(wakeup: Wakeup, ms: number, signal: AbortSignal): Promise<void> {
  if (ms === idleMs) await wakeup.wait(ms, signal);
  else await sleep(ms, undefined, { signal }).catch(() => {});
}

/**
 * Sends the oldest message if it is time.
 * @returns ms until the next is worth trying
 * @throws {StoreError}
 */
async function deliverNext(deps: DeliveryDeps, stop: AbortSignal): Promise<number> {
  const message = deps.outbox.next(deps.channel.name);
  if (!message) return idleMs;
  // Bounded, since the clock of the machine may have been set back.
  const waitMs = Math.min(message.nextAttemptAt - deps.now(), longestRetryAfterMs);
  if (waitMs > 0) return waitMs;
  deps.outbox.beginAttempt(message.id);
  deps.reachFailPoint('send-begun');
  try {
    await sendWithin(deps, message, stop);
  } catch (err) {
    return recordFailure(deps, message, err);
  }
  deps.reachFailPoint('send-accepted');
  await markSent(deps, message, stop);
  return deps.channel.minSpacingMs;
}

async function sendWithin(deps: DeliveryDeps, message: OutboxMessage, stop: AbortSignal): Promise<void> {
  const limit = new AbortController();
  const cut = (): void => limit.abort(new Error('the send took too long'));
  const timer = setTimeout(cut, sendTimeoutMs);
  let stopTimer: NodeJS.Timeout | undefined;
  const onStop = (): void => void (stopTimer = setTimeout(cut, stopGraceMs));
  stop.addEventListener('abort', onStop, { once: true });
  try {
    await deps.channel.send(
      message.alert,
      {
        mayRepeat: message.wasCutOff,
        delayMs: deps.now() - Date.parse(message.alert.decidedAt),
      },
      limit.signal,
    );
  } finally {
    clearTimeout(timer);
    clearTimeout(stopTimer);
    stop.removeEventListener('abort', onStop);
  }
}

function recordFailure(deps: DeliveryDeps, message: OutboxMessage, err: unknown): number {
  const { channel, logger } = deps;
  const attempt = message.attempts + 1;
  const fields = { channel: channel.name, alertId: message.alert.id, attempt, err };
  if (err instanceof AlertDeliveryError && !err.isRetryable) {
    deps.outbox.markFailed(message.id, messageOf(err), deps.now());
    logger.error(fields, 'alert cannot be delivered on this channel');
    return 0;
  }
  const asked = err instanceof AlertDeliveryError ? err.retryAfterMs : undefined;
  const delayMs = asked === undefined ? backoffDelayMs(attempt, deps.backoff, deps.random()) : Math.min(asked, longestRetryAfterMs);
  deps.outbox.markRetry(message.id, messageOf(err), deps.now() + delayMs);
  // The first of a streak is enough; the status page shows the rest.
  if (attempt === 1 || asked !== undefined) logger.warn({ ...fields, delayMs }, 'alert not delivered yet');
  return delayMs;
}

/** Marks until the store takes it: sending again because of the store would be the worse fault. */
async function markSent(deps: DeliveryDeps, message: OutboxMessage, stop: AbortSignal): Promise<void> {
  const wakeup = createWakeup();
  for (;;) {
    try {
      deps.outbox.markSent(message.id, deps.now());
      deps.logger.info(
        { channel: deps.channel.name, alertId: message.alert.id, attempt: message.attempts + 1 },
        `sent ${alertTitle(message.alert)}`,
      );
      return;
    } catch (err) {
      if (stop.aborted) throw err;
      deps.logger.error(
        { err, channel: deps.channel.name, alertId: message.alert.id },
        'alert was sent, but the store does not take the mark',
      );
      await wakeup.wait(storeRetryMs, stop);
    }
  }
}
