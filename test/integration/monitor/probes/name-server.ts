import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

/** What the server says to one question: addresses, a code of RFC 1035 §4.1.1, bytes of its own, or nothing. */
export type Said = readonly string[] | { readonly code: number } | { readonly bytes: Buffer } | 'nothing';

/** A DNS server over UDP on a free port of 127.0.0.1 that says of every name what it is told, until the test is over. @returns its address and port */
export async function startNameServer(answer: (question: Buffer) => Said): Promise<string> {
  const { address, close } = await openNameServer(answer);
  onTestFinished(close);
  return address;
}

/** The same for whoever closes it. */
export async function openNameServer(
  answer: (question: Buffer) => Said,
): Promise<{ readonly address: string; readonly close: () => void }> {
  const socket: Socket = createSocket('udp4');
  socket.on('message', (question, { port, address }) => {
    const said = answer(question);
    if (said !== 'nothing') socket.send(replyTo(question, said), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return { address: `127.0.0.1:${socket.address().port}`, close: () => void socket.close() };
}

/** A reply with one question and its addresses. @see https://www.rfc-editor.org/rfc/rfc1035#section-4 */
export function replyTo(question: Buffer, said: Exclude<Said, 'nothing'>): Buffer {
  if ('bytes' in said) return said.bytes;
  const asked = question.subarray(12, question.indexOf(0, 12) + 5);
  const addresses = 'code' in said ? [] : said;
  const head = Buffer.alloc(12);
  question.copy(head, 0, 0, 2);
  head.writeUInt16BE(0x8180 | ('code' in said ? said.code : 0), 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(addresses.length, 6);
  const records = addresses.map((address) => Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, ...address.split('.').map(Number)]));
  return Buffer.concat([head, asked, ...records]);
}
