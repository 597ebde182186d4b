import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BrokenHttpError } from '#loadtest/generate/answer-head.ts';
import { AnswerParser } from '#loadtest/generate/answer-parser.ts';
import type { Step } from '#loadtest/generate/step.ts';

type Case = { readonly method?: Step['method']; readonly sent: string; readonly isEnded?: true };

/** Gives the parser the bytes in pieces that end at these places, each in a buffer that is overwritten afterwards. */
function parse({ method = 'GET', sent, isEnded }: Case, cuts: readonly number[] = []): AnswerParser | undefined {
  const bytes = Buffer.from(sent, 'latin1');
  const parser = new AnswerParser();
  parser.begin(method);
  const places = [...new Set([...cuts.map((cut) => cut % bytes.length), bytes.length])].toSorted((a, b) => a - b);
  let isWhole = false;
  let from = 0;
  for (const to of places.filter((place) => place > 0)) {
    const piece = Buffer.alloc(to - from + 30, 'x\r\n\r\n');
    bytes.copy(piece, 0, from, to);
    isWhole = parser.take(piece, to - from);
    piece.fill('x');
    from = to;
  }
  return isWhole || (isEnded && parser.end()) ? parser : undefined;
}

const anyCuts = fc.array(fc.nat(), { maxLength: 6 });
const everywhere = (sent: string): number[] => Array.from(sent, (_, i) => i);

const right: readonly (Case & { readonly name: string; readonly holds: object; readonly body: string })[] = [
  { name: 'a length', sent: 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npong', holds: { status: 200, isLast: false }, body: 'pong' },
  { name: 'no body', sent: 'HTTP/1.1 200\r\ncontent-length:0\r\n\r\n', holds: { headers: { 'content-length': '0' } }, body: '' },
  {
    name: 'chunks with extensions and trailers',
    sent: 'HTTP/1.1 201 Created\r\nTransfer-Encoding: Chunked\r\n\r\n2;a="b"\r\npo\r\n0A ;x\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n',
    holds: { status: 201, isLast: false },
    body: 'po0123456789',
  },
  {
    name: 'interim answers before it',
    sent: 'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx',
    holds: { status: 200, headers: { 'content-length': '1' } },
    body: 'x',
  },
  { name: 'a length for HEAD', method: 'HEAD', sent: 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n', holds: { isLast: false }, body: '' },
  { name: '304 with a length', sent: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n', holds: { status: 304 }, body: '' },
  { name: '204', sent: 'HTTP/1.1 204 No Content\r\n\r\n', holds: { status: 204, isLast: false }, body: '' },
  {
    name: 'an end of the connection for its own',
    sent: 'HTTP/1.1 200 OK\r\n\r\npong',
    isEnded: true,
    holds: { isLast: true },
    body: 'pong',
  },
  { name: 'HTTP/1.0', sent: 'HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx', holds: { isLast: true }, body: 'x' },
  {
    name: 'HTTP/1.0 that stays',
    sent: 'HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\nx',
    holds: { isLast: false },
    body: 'x',
  },
  {
    name: 'a connection that closes',
    sent: 'HTTP/1.1 200 OK\r\nConnection: x, Close\r\nContent-Length: 1\r\n\r\nx',
    holds: { isLast: true },
    body: 'x',
  },
  {
    name: 'fields repeated, padded, empty and not in ASCII',
    sent: 'HTTP/1.1 200 \xe9\r\nA: 1\r\na:\t 2 \t\r\n__Proto__: p\r\nE:\r\nU: \xc3\xa0\r\nContent-Length: 2\r\n\r\n\xc3\xa9',
    holds: { headers: { a: '1, 2', ['__proto__']: 'p', e: '', u: 'à', 'content-length': '2' } },
    body: 'é',
  },
];

describe('a right answer', () => {
  test.for(right)('with $name is read, in whatever pieces it comes', ({ holds, body, ...one }) => {
    for (const cuts of [[], everywhere(one.sent)]) {
      const parser = parse(one, cuts);
      expect(parser?.head).toMatchObject(holds);
      expect(parser?.body()).toBe(body);
    }
    fc.assert(
      fc.property(anyCuts, (cuts) => {
        expect(parse(one, cuts)?.body()).toBe(body);
      }),
    );
  });

  test.for(right.filter(({ isEnded }) => !isEnded))('with $name is not whole before its last byte, though the server closes', (one) => {
    for (let length = 1; length < one.sent.length; length += 1)
      expect(parse({ ...one, sent: one.sent.slice(0, length), isEnded: true })).toBeUndefined();
  });

  test('of any size, as text of any kind, in pieces or in chunks of any size', () => {
    const chunk = fc.string({ unit: 'binary', minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(fc.array(chunk, { maxLength: 6 }), fc.boolean(), anyCuts, (texts, isChunked, cuts) => {
        const bytes = texts.map((text) => Buffer.from(text).toString('latin1'));
        const chunks = bytes.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('');
        const sized = `Content-Length: ${bytes.join('').length}\r\n\r\n${bytes.join('')}`;
        const sent = `HTTP/1.1 200 OK\r\n${isChunked ? `Transfer-Encoding: chunked\r\n\r\n${chunks}0\r\n\r\n` : sized}`;
        expect(parse({ sent }, cuts)?.body()).toBe(Buffer.from(texts.join('')).toString());
      }),
    );
  });
});

const head = 'HTTP/1.1 200 OK\r\n';
const wrong: readonly (Case & { readonly name: string })[] = [
  { name: 'another protocol', sent: 'SSH-2.0-OpenSSH_9.6\r\n\r\n' },
  { name: 'HTTP/2', sent: 'HTTP/2.0 200 OK\r\n\r\n' },
  { name: 'a status of two digits', sent: 'HTTP/1.1 20 OK\r\n\r\n' },
  { name: 'an empty line before it', sent: `\r\n\r\n${head}Content-Length: 0\r\n\r\n` },
  { name: 'lines ended by LF alone', sent: `HTTP/1.1 200 OK\nContent-Length: 0\n\n\r\n\r\n` },
  { name: 'a folded line', sent: `${head}A: 1\r\n 2\r\nContent-Length: 0\r\n\r\n` },
  { name: 'a blank before the colon', sent: `${head}Content-Length : 0\r\n\r\n` },
  { name: 'a field without a colon', sent: `${head}Content-Length\r\n\r\n` },
  { name: 'a field without a name', sent: `${head}: 1\r\nContent-Length: 0\r\n\r\n` },
  { name: 'a control character in a field', sent: `${head}A: \x01\r\nContent-Length: 0\r\n\r\n` },
  { name: 'a CR within a field', sent: `${head}A: 1\r2\r\nContent-Length: 0\r\n\r\n` },
  { name: 'two lengths', sent: `${head}Content-Length: 1\r\nContent-Length: 1\r\n\r\nx` },
  { name: 'a length with a sign', sent: `${head}Content-Length: +1\r\n\r\nx` },
  { name: 'a length in words', sent: `${head}Content-Length: one\r\n\r\nx` },
  { name: 'no value for its length', sent: `${head}Content-Length:\r\n\r\nx` },
  { name: 'a length beside chunks', sent: `${head}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n` },
  { name: 'another coding than chunked', sent: `${head}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n` },
  { name: 'chunks in HTTP/1.0', sent: 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n' },
  { name: 'a chunk without a size', sent: `${head}Transfer-Encoding: chunked\r\n\r\n\r\n\r\n` },
  { name: 'a size of 0x1', sent: `${head}Transfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n` },
  { name: 'a size beyond 32 bits', sent: `${head}Transfer-Encoding: chunked\r\n\r\n100000000\r\nx` },
  { name: 'a chunk longer than it says', sent: `${head}Transfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n` },
  { name: 'a trailer that is none', sent: `${head}Transfer-Encoding: chunked\r\n\r\n0\r\nx\r\n\r\n` },
  { name: 'a byte more than its length', sent: `${head}Content-Length: 4\r\n\r\npongs` },
  { name: 'itself again', sent: `${head}Content-Length: 1\r\n\r\nx${head}Content-Length: 1\r\n\r\nx` },
  { name: 'a body for HEAD', method: 'HEAD', sent: `${head}Content-Length: 1\r\n\r\nx` },
  { name: 'a body for 204', sent: 'HTTP/1.1 204 No Content\r\n\r\nx' },
  { name: 'a length for 204', sent: 'HTTP/1.1 204 No Content\r\nContent-Length: 1\r\n\r\n' },
  { name: 'chunks for 204', sent: 'HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n' },
  { name: '101', sent: 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n' },
  { name: 'a head that does not end', sent: `${head}A: ${'x'.repeat(17_000)}` },
  { name: 'a head longer than anybody needs', sent: `${head}A: ${'x'.repeat(17_000)}\r\nContent-Length: 0\r\n\r\n` },
];

describe('an answer with', () => {
  test.for(wrong)('$name breaks HTTP, in whatever pieces it comes', (one) => {
    for (const cuts of [[], everywhere(one.sent)]) expect(() => parse(one, cuts)).toThrow(BrokenHttpError);
    fc.assert(
      fc.property(anyCuts, (cuts) => {
        expect(() => parse(one, cuts)).toThrow(BrokenHttpError);
      }),
    );
  });
});

test('one parser reads answer after answer, and keeps nothing of the one before', () => {
  const parser = new AnswerParser();
  const take = (sent: string): boolean => parser.take(Buffer.from(sent), sent.length);
  parser.begin('GET');
  expect(take(`${head}A: 1\r\nContent-Length: 5\r\n\r\nfir`)).toBe(false);
  expect([parser.hasBegun, parser.bodyBytes, parser.body()]).toEqual([true, 3, 'fir']);
  parser.begin('GET');
  expect([parser.hasBegun, parser.bodyBytes, parser.body(), parser.head]).toEqual([false, 0, '', undefined]);
  expect(take('HTTP/1.1 2')).toBe(false);
  parser.begin('GET');
  expect(take('HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\n\r\nsecond')).toBe(true);
  expect(parser.head).toMatchObject({ status: 404, headers: { 'content-length': '6' } });
  expect(parser.head?.headers['a']).toBeUndefined();
  expect(parser.body()).toBe('second');
});
