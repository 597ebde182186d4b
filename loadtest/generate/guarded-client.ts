// oxlint-disable no-underscore-dangle -- autocannon's own names; it offers no others for this
import type { Client } from 'autocannon';

/**
 * What is used of autocannon's connection object beyond its published interface. autocannon is pinned exactly, and
 * test/integration/loadtest/autocannon-contract.test.ts fails when one of these changes.
 */
export type ConnectionInternals = {
  /** Opens the connection, also again after it was lost, and sends a request at once. */
  _connect: () => void;
  /** Sends the next request; called after each response. */
  _doRequest: () => void;
  /** Closes the connection and forgets the requests under way on it. */
  _destroyConnection: () => void;
  readonly parser: { reinitialize: (type: string) => void };
  readonly destroyed: boolean;
};

export type Guard = {
  /** The connection was lost or given up; whatever was under way on it has no answer. */
  readonly onLost: () => void;
  /** False once no more requests are to be sent. */
  readonly isOpen: () => boolean;
  /** Whether anything was answered since the previous loss: if not, the next attempt waits longer. */
  readonly wasAnswered: () => boolean;
};

const firstDelayMs = 50;
const maxDelayMs = 1_000;

/**
 * Mends four things of autocannon 9 that would falsify a measurement; all are measured in the notes of this project:
 * after the server closes a connection the request under way stays in the queue, so that every later response is matched
 * to an older start; a response cut short leaves the parser in the middle of it; a refused port is asked again thousands
 * of times a second, each an error; and there is no way to stop sending and wait for what is under way.
 * Call it from `setupClient`, before the connection opens.
 */
export function guardClient(client: Client, guard: Guard): void {
  const internals = client as unknown as ConnectionInternals;
  const connect = internals._connect.bind(client);
  const send = internals._doRequest.bind(client);
  let isFirst = true;
  let delayMs = 0;
  let retry: NodeJS.Timeout | undefined;

  internals._doRequest = () => {
    if (guard.isOpen()) send();
  };
  internals._connect = () => {
    if (isFirst) {
      isFirst = false;
      connect();
      return;
    }
    guard.onLost();
    // Also silences the old connection: a late error on it would open yet another one.
    internals._destroyConnection();
    internals.parser.reinitialize('RESPONSE');
    delayMs = guard.wasAnswered() ? 0 : Math.min(maxDelayMs, Math.max(firstDelayMs, 2 * delayMs));
    clearTimeout(retry);
    if (!guard.isOpen()) return;
    if (delayMs === 0) connect();
    else retry = setTimeout(() => !internals.destroyed && guard.isOpen() && connect(), delayMs);
  };
}
