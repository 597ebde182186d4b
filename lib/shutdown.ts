import type { Logger } from './logger.ts';
import { messageOf } from './errors.ts';

export type Closer = { readonly name: string; readonly close: () => unknown };

/**
 * Closes one after the other, in the order given; one that fails or exceeds the deadline does not stop the rest.
 * @returns the names of those that failed or were cut off.
 */
export async function closeInOrder(closers: readonly Closer[], deadlineMs: number, logger: Logger): Promise<string[]> {
  const failed: string[] = [];
  const endsAt = performance.now() + deadlineMs;
  for (const { name, close } of closers) {
    try {
      await withDeadline(Promise.resolve(close()), Math.max(0, endsAt - performance.now()));
    } catch (err) {
      failed.push(name);
      logger.error({ part: name, err }, `could not close ${name}: ${messageOf(err)}`);
    }
  }
  return failed;
}

async function withDeadline(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the deadline has passed')), ms);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Resolves with the first of the signals, by default SIGINT, SIGTERM and SIGHUP. From then on the same signals do nothing more, so that an
 * impatient second Ctrl-C cannot cut an orderly end short; the deadline of `closeInOrder` bounds it.
 */
export function stopSignal(signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP']): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of signals) process.on(signal, () => resolve(signal));
  });
}

const parentPollMs = 200;

/**
 * Resolves when the process that started this one has ended. npm runs a script through a shell, which does not hand on the
 * SIGTERM that npm gives it, and a killed npm gives none: the script would live on, unseen.
 */
export function parentEnded(): Promise<void> {
  const parent = process.ppid;
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(timer);
      resolve();
    }, parentPollMs);
    timer.unref();
  });
}
