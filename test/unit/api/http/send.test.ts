import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import { Exchange, type ApiMiddleware } from '#api/http/exchange.ts';
import { LeanKoa, send } from '#api/http/send.ts';
import { listen } from '#test/support/listen.ts';

/** What an application of this one middleware answers, and the messages of the errors it reports. */
async function answerOf(middleware: ApiMiddleware, isDraining = false) {
  const app = new LeanKoa(() => isDraining);
  const errors: string[] = [];
  app.on('error', (err: Error) => errors.push(err.message));
  app.use((ctx, next) => {
    ctx.state = new Exchange('r-1', '192.0.2.1', ctx.req.url ?? '');
    return next();
  });
  const server = createServer(app.use(middleware).callback());
  const response = await fetch(`http://127.0.0.1:${await listen(server)}/`, { signal: AbortSignal.timeout(2_000) });
  return { status: response.status, headers: response.headers, text: await response.text(), errors };
}

test('an answer sent goes out as it is, with the id of its request', async () => {
  const { status, headers, text, errors } = await answerOf(async (ctx) =>
    send(ctx, { status: 201, body: '{"a":1}', headers: { ETag: '"1"' } }),
  );
  expect([status, text, headers.get('etag'), headers.get('x-request-id'), headers.get('connection')]).toEqual([
    201,
    '{"a":1}',
    '"1"',
    'r-1',
    'keep-alive',
  ]);
  expect(errors).toEqual([]);
});

test('a text that is no ASCII goes out whole, with its length in bytes', async () => {
  for (const body of ['"ñandú"', '"10 €"', '"plain"']) {
    const { text, headers } = await answerOf(async (ctx) => send(ctx, { status: 200, body }));
    expect([text, headers.get('content-length')]).toEqual([body, String(Buffer.byteLength(body))]);
  }
});

test('a process that drains closes the connection with each answer', async () => {
  expect((await answerOf(async (ctx) => send(ctx, { status: 204 }), true)).headers.get('connection')).toBe('close');
});

test('a middleware that sets ctx.body fails at once, and says what to do instead', async () => {
  for (const set of ['ctx', 'response'] as const) {
    const { status, errors } = await answerOf(async (ctx) => {
      (set === 'ctx' ? ctx : ctx.response).body = { never: 'sent' };
    });
    expect([status, errors]).toEqual([500, ['ctx.body is never sent: answer with send(ctx, …)']]);
  }
});

test('a request that no middleware answers is not left waiting', async () => {
  const { status, errors } = await answerOf(() => Promise.resolve());
  expect([status, errors]).toEqual([500, ['no middleware answered the request: each path must end in send(ctx, …)']]);
});
