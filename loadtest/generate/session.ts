import { openConnection } from './connection.ts';
import type { Drive } from './driver.ts';
import type { User } from './step.ts';

/** One user on one connection. One request at a time. */
export type Session = {
  /**
   * Sends the user's next request and enters what comes of it.
   * @param lateMs how long after the moment meant for it this is; default: none was meant
   * @returns whether an answer came
   * @throws when the client's own machine is at its limits
   */
  readonly send: (lateMs?: number) => Promise<boolean>;
  readonly close: () => Promise<void>;
};

/** Of the client's machine, which has no more ports, files or memory; no word about the target. */
const isOwnFault = /^(EADDRNOTAVAIL|EMFILE|ENFILE|ENOBUFS|ENOMEM)\b/;

export function openSession({ origin, timeoutMs, notebook }: Drive, user: User): Session {
  const connection = openConnection(origin, timeoutMs);
  return {
    send: async (lateMs) => {
      const step = user.next();
      notebook.sent(user, step);
      const exchange = await connection.send(step);
      if (exchange.kind === 'connection-error' && isOwnFault.test(exchange.detail))
        throw new Error(`this machine ran out: ${exchange.detail}`);
      if (exchange.kind === 'answer') notebook.answered(user, step, exchange, lateMs);
      else notebook.failed(user, step, { ...exchange, ms: exchange.kind === 'timeout' ? timeoutMs : exchange.ms }, lateMs);
      return exchange.kind === 'answer';
    },
    close: () => connection.close(),
  };
}
