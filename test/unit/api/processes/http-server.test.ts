import { once } from 'node:events';
import { createConnection } from 'node:net';
import { expect, test } from 'vitest';
import { readJsonBody } from '#api/http/read-body.ts';
import type { AccessEntry } from '#api/logs/access-line.ts';
import { createHttpServer } from '#api/processes/http-server.ts';
import { listen } from '#test/support/listen.ts';

/** What the server answers to bytes as they are, and what it records of them. */
async function answerTo(text: string): Promise<{ answer: string; recorded: AccessEntry[]; asked: number }> {
  const recorded: AccessEntry[] = [];
  let asked = 0;
  const server = createHttpServer(
    (_req, res) => {
      asked += 1;
      res.writeHead(417, { connection: 'close' }).end();
    },
    (entry) => recorded.push(entry),
  );
  const socket = createConnection(await listen(server), '127.0.0.1');
  let answer = '';
  socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
  socket.on('error', () => {});
  socket.write(text);
  await once(socket, 'close');
  return { answer, recorded, asked };
}

test.each([
  ['is no HTTP', 'NONSENSE\r\n\r\n', 400, 'malformed_request'],
  ['has headers without end', `GET / HTTP/1.1\r\nHost: a\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`, 431, 'headers_too_large'],
])('what %s gets a problem document, and a line in the access log', async (_what, text, status, code) => {
  const { answer, recorded, asked } = await answerTo(text);
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${status} [\\s\\S]*Content-Type: application/problem\\+json`));
  const problem = JSON.parse(body) as Record<string, unknown>;
  expect(problem).toMatchObject({ status, code });
  const bytes = Buffer.byteLength(body);
  expect(recorded).toMatchObject([{ status, bytes, ip: '127.0.0.1', method: '-', path: '-', requestId: problem['request_id'] }]);
  expect(asked).toBe(0);
});

test('what expects something unknown is a request like any other, so that it is refused and recorded like any other', async () => {
  const { asked, answer } = await answerTo('GET / HTTP/1.1\r\nHost: a\r\nExpect: a-miracle\r\n\r\n');
  expect([asked, answer.slice(0, 12)]).toEqual([1, 'HTTP/1.1 417']);
});

test.each(['', 'Content-Length: 0\r\n', 'Transfer-Encoding: chunked\r\n'])('a missing body (%j) is not waited for', async (header) => {
  const read = Promise.withResolvers<unknown>();
  const server = createHttpServer(
    (req, res) => {
      readJsonBody(req).then(read.resolve, read.resolve);
      read.promise.then(() => res.writeHead(400, { connection: 'close' }).end()).catch(() => {});
    },
    () => {},
  );
  const socket = createConnection(await listen(server), '127.0.0.1');
  socket.write(`POST / HTTP/1.1\r\nHost: a\r\n${header}\r\n${header.startsWith('Transfer') ? '0\r\n\r\n' : ''}`);
  expect(await read.promise).toMatchObject({ code: 'malformed_json', message: 'The body is empty; a JSON object is expected.' });
  socket.destroy();
});
