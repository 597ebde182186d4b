import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { listen } from '#test/support/listen.ts';
import { openWire } from '#test/torture/wire.ts';

/** A server that answers all it hears with `done: ` before it, and a client of it, with the wire between. */
async function connected() {
  const heard: string[] = [];
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const server = createServer((socket) => {
    socket.on('error', () => {}).on('close', () => end());
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      heard.push(chunk);
      socket.write(`done: ${chunk}`);
    });
  });
  const wire = await openWire(await listen(server));
  onTestFinished(wire.close);
  const client = createConnection(wire.port, '127.0.0.1').on('error', () => {});
  await once(client, 'connect');
  return { wire, client, heard, ended };
}

test('what is not to be cut goes through, there and back', async () => {
  const { wire, client, heard } = await connected();
  void wire.cutOnce({ asked: 'COMMIT' });
  client.write('BEGIN');
  expect(`${(await once(client, 'data'))[0]}`).toBe('done: BEGIN');
  expect(heard).toEqual(['BEGIN']);
});

test('a connection cut before its words are sent on ends with the server having heard nothing of them', async () => {
  const { wire, client, heard, ended } = await connected();
  client.write('BEGIN');
  await once(client, 'data');
  const isCut = wire.cutOnce({ asked: 'COMMIT' });
  client.write('COMMIT');
  await ended;
  expect([await isCut, heard]).toEqual([true, ['BEGIN']]);
});

test('one cut after the answer ends with the work done, and the client not told', async () => {
  const { wire, client, heard } = await connected();
  const isCut = wire.cutOnce({ asked: 'COMMIT', told: 'done: COMMIT' });
  client.write('COMMIT');
  expect([await isCut, await text(client), heard]).toEqual([true, '', ['COMMIT']]);
});

test('cut as a whole it ends every connection, and says how many there were', async () => {
  const { wire, client } = await connected();
  client.write('BEGIN');
  await once(client, 'data');
  expect(wire.cutAll()).toBe(1);
  await once(client.resume(), 'close');
  expect(wire.cutAll()).toBe(0);
});
