import { describe, expect, test } from 'vitest';
import { look } from './look.ts';
import { replyTo, startNameServer, type Said } from './name-server.ts';

const shop = { host: 'shop.example', addresses: ['192.0.2.1', '192.0.2.2'] };

async function ask(answer: (question: Buffer) => Said, fields: object = shop) {
  return look('dns', { server: await startNameServer(answer), ...fields });
}

/** A reply under another id, as somebody sends who must guess it. */
const forged = (question: Buffer): Said => {
  const reply = replyTo(question, ['192.0.2.1']);
  reply.writeUInt16BE((reply.readUInt16BE(0) + 1) % 65_536, 0);
  return { bytes: reply };
};

describe('a look at a name', () => {
  test('that leads where it must is ok, in whatever order', async () => {
    expect(await ask(() => ['192.0.2.2', '192.0.2.1'])).toEqual({
      outcome: 'ok',
      detail: 'shop.example leads to 192.0.2.2, 192.0.2.1',
    });
  });

  test('is ok when the first datagram is lost', async () => {
    let asked = 0;
    expect(await ask(() => (++asked === 1 ? 'nothing' : ['192.0.2.1']), { host: 'shop.example' })).toMatchObject({ outcome: 'ok' });
    expect(asked).toBe(2);
  });

  test('of which an address is missing is degraded', async () => {
    expect(await ask(() => ['192.0.2.1'])).toEqual({
      outcome: 'degraded',
      detail: 'shop.example leads to 192.0.2.1; 192.0.2.2 is missing',
    });
  });

  test.each<[string, (question: Buffer) => Said, string]>([
    ['that leads elsewhere too', () => ['192.0.2.1', '203.0.113.9'], '; 203.0.113.9 must not be among them'],
    ['that does not exist', () => ({ code: 3 }), 'does not exist (ENOTFOUND)'],
    ['without an address', () => [], 'has no such address (ENODATA)'],
    ['whose servers fail', () => ({ code: 2 }), 'its name servers fail (ESERVFAIL)'],
    ['that is refused', () => ({ code: 5 }), 'is refused an answer (EREFUSED)'],
    ['whose server hangs', () => 'nothing', 'no answer within 3 s'],
    ['whose server talks nonsense', () => ({ bytes: Buffer.from('nonsense') }), 'makes no sense (EBADRESP)'],
  ])('%s has failed', async (_sentence, answer, detail) => {
    expect(await ask(answer)).toEqual({ outcome: 'failed', detail: expect.stringContaining(detail) });
  });

  test('does not believe an answer to another question', async () => {
    expect(await ask(forged)).toMatchObject({ outcome: 'failed' });
  });

  test('whose named server is gone has failed', async () => {
    expect(await look('dns', { ...shop, server: '127.0.0.1:1' })).toEqual({
      outcome: 'failed',
      detail: '127.0.0.1:1 does not answer for shop.example (ECONNREFUSED)',
    });
  });
});
