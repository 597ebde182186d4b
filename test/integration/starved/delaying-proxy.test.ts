import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startDelayingProxy } from '#test/starved/delaying-proxy.ts';

test('what takes its time on the way to a far client arrives as it was sent, piece by piece in its order', async () => {
  const sent = Array.from({ length: 2_000 }, (_, i) => `${i};`);
  const far = createServer(async (socket) => {
    for (const piece of sent) {
      socket.write(piece);
      await nextTurn();
    }
    socket.end();
  }).listen(0, '127.0.0.1');
  await once(far, 'listening');
  const proxy = await startDelayingProxy(`http://127.0.0.1:${(far.address() as AddressInfo).port}`);
  try {
    const startedMs = performance.now();
    const received = await text(connect(Number(new URL(proxy.origin).port), '127.0.0.1').setNoDelay(true));
    expect(received).toBe(sent.join(''));
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(99);
  } finally {
    proxy.close();
    far.close();
  }
});
