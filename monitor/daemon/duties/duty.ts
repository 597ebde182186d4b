import { schedule } from 'node-cron';
import { aborted } from '#lib/abort.ts';
import type { Logger } from '#lib/logger.ts';
import type { Clock, Moment } from '../../model/look.ts';

/** Something the daemon does beside watching and delivering. */
export type Duty = {
  readonly name: string;
  /** Decided from what was done, never from ticks: one may come late, or not at all. */
  readonly isDue: (now: Moment) => boolean;
  readonly run: (now: Moment, signal: AbortSignal) => Promise<void> | void;
};

/** Calls the task again and again until the signal fires. */
export type Tick = (task: () => void, signal: AbortSignal) => void;

/**
 * Does what is due at each tick, until the signal fires and what runs then has ended. A duty never overlaps itself and
 * holds up no other; one that fails is tried again when it is next due.
 */
export async function runDuties(
  duties: readonly Duty[],
  deps: { readonly tick: Tick; readonly clock: Clock; readonly logger: Logger },
  signal: AbortSignal,
): Promise<void> {
  const running = new Map<Duty, Promise<void>>();
  const begin = (duty: Duty, now: Moment): void => {
    const work = new Promise<void>((resolve) => resolve(duty.run(now, signal)));
    const ended = work
      .catch((err: unknown) => deps.logger.error({ err, duty: duty.name }, 'a duty could not be done'))
      .finally(() => running.delete(duty));
    running.set(duty, ended);
  };
  deps.tick(() => {
    const now = deps.clock();
    for (const duty of duties) if (!running.has(duty) && duty.isDue(now)) begin(duty, now);
  }, signal);
  await aborted(signal);
  await Promise.all(running.values());
}

/** Ticks on the clock that never jumps. */
export const everySecond: Tick = (task, signal) => {
  const timer = setInterval(task, 1_000);
  signal.addEventListener('abort', () => clearInterval(timer), { once: true });
};

/** A clock that moved this much against the steady one was set, by hand or by the first answer of a time server. */
const jumpMs = 30_000;

/** What the clock of the machine is ahead of the steady one, in ms. */
const difference = (): number => Date.now() - performance.now();

/**
 * Ticks at the start of every minute, in UTC. A schedule is begun anew when the clock was set: node-cron waits for one that
 * was set back to catch up, and after one that was set forward works through every minute in between before anything else.
 */
export const everyMinute: Tick = (task, signal) => {
  const begin = () => schedule('* * * * *', () => task(), { timezone: 'UTC', noOverlap: true, suppressMissedWarning: true });
  let scheduled = begin();
  let before = difference();
  const guard = setInterval(() => {
    const jumpedMs = Math.abs(difference() - before);
    before = difference();
    if (jumpedMs < jumpMs) return;
    void scheduled.destroy();
    scheduled = begin();
  }, 1_000);
  signal.addEventListener(
    'abort',
    () => {
      clearInterval(guard);
      void scheduled.destroy();
    },
    { once: true },
  );
};
