import { messageOf } from '#lib/errors.ts';
import type { Logger } from '#lib/logger.ts';
import type { Backoff } from '#lib/retry.ts';
import { createWakeup } from '../health/wakeup.ts';
import type { Clock } from '../model/look.ts';
import { AlertDeliveryError, type Channel, type DeliveryFailure } from './channel.ts';
import { alertTitle } from './message-text.ts';
import type { Outbox, QueuedMessage } from './outbox.ts';
import { afterFailure, freshPace, paceAfterSuccess, type Pace } from './pace.ts';
import { planSend, type SendPlan } from './plan-send.ts';

export type DeliveryDeps = {
  readonly channel: Channel;
  readonly outbox: Outbox;
  readonly backoff: Backoff;
  readonly clock: Clock;
  readonly random: () => number;
  /** Called with a message that was refused so often that it was set aside. */
  readonly onSetAside: (message: QueuedMessage, why: string) => void;
  readonly logger: Logger;
};

export type DeliveryLoop = {
  readonly channel: string;
  /** Says that the outbox holds something new. */
  readonly wake: () => void;
  /** Delivers until the signal fires; then lets the send under way finish, for at most `stopGraceMs`. */
  readonly run: (signal: AbortSignal) => Promise<void>;
  /** Sends one message if one is due. @returns ms until the next is worth trying */
  readonly step: (stop: AbortSignal) => Promise<number>;
  readonly pace: () => Pace;
};

/** Longest one send may take, whatever the channel's own timeouts. */
const sendTimeoutMs = 20_000;
const stopGraceMs = 4_000;
const idleMs = 60_000;
/** While the store takes nothing, it is asked again this often. */
const storeRetryMs = 1_000;

/**
 * Sends the messages of one channel. A message is marked sent after the channel accepted it: a crash in between repeats it
 * under the same id, and none is lost. All waits are on the clock that never jumps.
 */
export function createDeliveryLoop(deps: DeliveryDeps): DeliveryLoop {
  const { channel, outbox, clock } = deps;
  const wakeup = createWakeup();
  let pace = freshPace;

  const step = async (stop: AbortSignal): Promise<number> => {
    outbox.flush();
    const now = clock();
    if (now.clockMs < pace.notBeforeMs) return pace.notBeforeMs - now.clockMs;
    const plan = planSend(outbox.pending(channel.name), now);
    if (plan.action === 'wait') return Math.min(plan.ms, outbox.storeFault() ? storeRetryMs : idleMs);
    pace = await send(deps, pace, plan, stop);
    return Math.max(0, pace.notBeforeMs - clock().clockMs);
  };
  return {
    channel: channel.name,
    wake: wakeup.wake,
    step,
    run: async (signal) => {
      while (!signal.aborted) await wakeup.wait(await step(signal), signal);
    },
    pace: () => pace,
  };
}

/** Sends what was planned and settles it. @returns how the channel fares now */
async function send(deps: DeliveryDeps, pace: Pace, plan: Extract<SendPlan, { action: 'send' }>, stop: AbortSignal): Promise<Pace> {
  const { channel, outbox, clock } = deps;
  const { begun, isRecorded } = outbox.begin([plan.message, ...plan.tellsToo]);
  const [message, ...tellsToo] = begun as [QueuedMessage, ...QueuedMessage[]];
  const delivery = {
    mayRepeat: plan.message.isUncertain,
    mayComeAgain: !isRecorded,
    delayMs: Math.max(0, clock().at - Date.parse(message.alert.decidedAt)),
    tellsToo: tellsToo.map(({ alert }) => alert),
  };
  try {
    await within((signal) => channel.send(message.alert, delivery, signal), stop);
  } catch (err) {
    return settleFailure(deps, pace, { ...plan, message: { ...message, isUncertain: plan.message.isUncertain } }, err);
  }
  outbox.settle(message, { state: 'sent' });
  for (const told of tellsToo) outbox.settle(told, { state: 'merged' });
  deps.logger.info(
    { channel: channel.name, alertId: message.alert.id, attempt: message.attempts, reason: plan.reason },
    `sent ${alertTitle(message.alert)}`,
  );
  return paceAfterSuccess(clock(), channel.minSpacingMs);
}

/** What a message tells as well shares its fate, but keeps its own count of refusals. */
function settleFailure(
  deps: DeliveryDeps,
  pace: Pace,
  { message, tellsToo }: Pick<Extract<SendPlan, { action: 'send' }>, 'message' | 'tellsToo'>,
  err: unknown,
): Pace {
  const { channel, outbox, clock, backoff, random, logger } = deps;
  const failure = failureOf(err, channel.name);
  const after = afterFailure(pace, message, failure, { now: clock(), backoff, random: random(), minSpacingMs: channel.minSpacingMs });
  const { state, lastError } = after.outcome;
  outbox.settle(message, after.outcome);
  for (const told of tellsToo) {
    outbox.settle(told, { state, lastError, isUncertain: told.isUncertain || (failure.mayHaveArrived ?? false) });
  }
  const fields = { channel: channel.name, alertId: message.alert.id, attempt: message.attempts, err };
  if (state === 'failed') {
    logger.error(fields, 'alert set aside: it was refused too often');
    deps.onSetAside(message, failure.detail);
  } else if (message.attempts === 1) logger.warn(fields, 'alert not delivered yet');
  return after.pace;
}

/** Nobody knows what became of a send that ended in any other way than the channel's own. */
function failureOf(err: unknown, channel: string): DeliveryFailure {
  if (err instanceof AlertDeliveryError) return err.failure;
  return { channel, detail: messageOf(err), scope: 'channel', isLasting: false, mayHaveArrived: true };
}

/** Runs a send under its bounds: its own time, and a grace once everything stops. */
async function within(work: (signal: AbortSignal) => Promise<void>, stop: AbortSignal): Promise<void> {
  const limit = new AbortController();
  const cut = (): void => limit.abort(new Error('the send took too long'));
  const timer = setTimeout(cut, sendTimeoutMs);
  let stopTimer: NodeJS.Timeout | undefined;
  const onStop = (): void => void (stopTimer = setTimeout(cut, stopGraceMs));
  stop.addEventListener('abort', onStop, { once: true });
  try {
    await work(limit.signal);
  } finally {
    clearTimeout(timer);
    clearTimeout(stopTimer);
    stop.removeEventListener('abort', onStop);
  }
}
