import { schedule } from 'node-cron';

/**
 * Runs a task at the start of every minute until the signal fires; runs never overlap. The task must decide for itself
 * what is due: a minute can be missed.
 */
export function everyMinute(task: () => Promise<unknown>, signal: AbortSignal): void {
  const scheduled = schedule('* * * * *', () => task(), { timezone: 'UTC', noOverlap: true, suppressMissedWarning: true });
  signal.addEventListener('abort', () => void scheduled.destroy(), { once: true });
}
