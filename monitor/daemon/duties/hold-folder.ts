import type { FolderLock } from '#lib/lock.ts';
import type { Duty } from './duty.ts';

const intervalMs = 5_000;

/**
 * Sees that the folder is still this process's own. One that was removed or replaced is another's to take, and two
 * monitors would tell everything twice.
 */
export function holdFolderDuty(lock: Pick<FolderLock, 'assertHeld'>, onLost: (err: unknown) => void): Duty {
  let askedMs = -Infinity;
  return {
    name: 'hold the folder',
    isDue: ({ clockMs }) => clockMs - askedMs >= intervalMs,
    run: ({ clockMs }) => {
      askedMs = clockMs;
      try {
        lock.assertHeld();
      } catch (err) {
        onLost(err);
      }
    },
  };
}
