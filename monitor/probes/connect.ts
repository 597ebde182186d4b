import type { LookupAddress } from 'node:dns';
import type { LookupFunction, Socket } from 'node:net';

/**
 * A look-up for `net`, `tls` and `http` that answers with addresses known already. Node then tries them all: the next one
 * as soon as one refuses, or takes longer than a quarter of a second.
 * @see https://nodejs.org/api/net.html#netgetdefaultautoselectfamily
 */
export function answerWith(addresses: readonly LookupAddress[]): LookupFunction {
  return (_host, options, callback) => {
    const [first] = addresses;
    if (options.all) callback(null, [...addresses]);
    else callback(null, first?.address ?? '', first?.family);
  };
}

/** More than any answer a probe asks for, over protocols that set no bound themselves. */
const longestAnswerBytes = 64 * 1024;

/** Breaks off a connection whose far side talks without end: what it sends is kept in memory until it makes sense. */
export function boundReading(socket: Socket): void {
  let bytes = 0;
  socket.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > longestAnswerBytes) socket.destroy(new Error(`its answer is longer than ${longestAnswerBytes / 1024} KiB`));
  });
}
