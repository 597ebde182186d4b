import { reportError } from '#lib/command-line.ts';
import type { Decorations } from '#monitor/daemon/house.ts';
import { runDaemon } from '#monitor/daemon/run-daemon.ts';

/** Moments at which a crash would hurt most. */
export type FailPoint = 'alert-committed' | 'send-begun' | 'send-accepted';

/**
 * The monitor as main.ts runs it, but that it kills itself when it reaches TEST_FAIL_POINT for the TEST_FAIL_HIT-th time,
 * as a crash or a power cut would, and stands still for ever at SIGUSR2.
 */
const { TEST_FAIL_POINT: wanted, TEST_FAIL_HIT: hit = '1', TEST_STANDSTILL_MS: standstillMs } = process.env;
let reached = 0;

function reach(point: FailPoint): void {
  if (point !== wanted) return;
  reached += 1;
  if (reached === Number(hit)) process.kill(process.pid, 'SIGKILL');
}

process.on('SIGUSR2', () => {
  for (;;);
});

const decorations: Decorations = {
  store: (store) => ({
    ...store,
    write: (changes) => {
      store.write(changes);
      if (changes.messages.some(({ state, attempts }) => state === 'pending' && attempts === 0)) reach('alert-committed');
    },
  }),
  channel: (channel) => ({
    ...channel,
    send: async (...args) => {
      reach('send-begun');
      await channel.send(...args);
      reach('send-accepted');
    },
  }),
  ...(standstillMs === undefined ? {} : { standstillMs: Number(standstillMs) }),
};

try {
  process.exitCode = await runDaemon(process.env, decorations);
} catch (err) {
  process.exitCode = reportError(err);
}
