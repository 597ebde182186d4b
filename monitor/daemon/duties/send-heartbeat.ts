import type { SelfReport } from '../../status-page/self-watch.ts';
import type { Duty } from './duty.ts';

const intervalMs = 60_000;
const timeoutMs = 10_000;

export type HeartbeatDeps = {
  /** Whoever waits for a sign of life and tells people when none comes; a secret. */
  readonly url: string;
  readonly judgeSelf: () => Promise<SelfReport>;
  readonly fetch: (
    url: string,
    init: { readonly method: string; readonly signal: AbortSignal },
  ) => Promise<{ readonly ok: boolean; readonly status: number }>;
};

/**
 * Sends a sign of life every minute, for a dead man's switch outside: it is what notices a monitor that is frozen or gone
 * with its machine. While the monitor does not work as it should, or no channel takes what it has to tell, none is sent: then
 * whoever waits for it is the only one left who can tell people.
 */
export function sendHeartbeatDuty({ url, judgeSelf, fetch }: HeartbeatDeps): Duty {
  let begunMs = -Infinity;
  return {
    name: 'send heartbeat',
    isDue: ({ clockMs }) => clockMs - begunMs >= intervalMs,
    run: async ({ clockMs }, signal) => {
      begunMs = clockMs;
      const self = await judgeSelf();
      if (self.status === 'failing' || self.unheard !== undefined) return;
      const response = await fetch(url, { method: 'POST', signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) });
      if (!response.ok) throw new Error(`the receiver of heartbeats answers HTTP ${response.status}`);
    },
  };
}
