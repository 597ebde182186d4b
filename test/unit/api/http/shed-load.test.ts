import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Agent, createServer, request, type IncomingMessage } from 'node:http';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isHealthPath } from '#api/health/health-routes.ts';
import { corsHeaders } from '#api/http/cors.ts';
import { isHasty, parkedMs } from '#api/http/parking.ts';
import { isCalm, reasonToShed, shedLoad, type Load } from '#api/http/shed-load.ts';
import { listen } from '#test/support/listen.ts';

const calm: Load = { inFlight: 0, loopWaitMs: 0, poolWaiting: 0, poolMax: 10, poolWaitMs: 0 };
const crowded: Load = { ...calm, inFlight: 1_000, loopWaitMs: 5_001 };
const amount = fc.double({ min: 0, max: 100_000, noNaN: true });
const count = fc.integer({ min: 0, max: 9_999 });
const anyLoad: fc.Arbitrary<Load> = fc.record({
  inFlight: count,
  loopWaitMs: amount,
  poolWaiting: count,
  poolMax: fc.integer({ min: 1, max: 100 }),
  poolWaitMs: amount,
});

describe('a request is turned away', () => {
  test.each([
    [1_000, 5_000],
    [1_001, 500],
  ])(
    'when nobody waited %i ms ago, exactly if it would wait for more than %i ms, whatever the number ahead of it, for what it would wait for most',
    (calmAgoMs, maxWaitMs) => {
      const queued = anyLoad.filter(({ inFlight, poolWaiting, poolMax }) => inFlight >= 50 && poolWaiting > 2 * poolMax);
      fc.assert(
        fc.property(queued, (load) => {
          const { loopWaitMs, poolWaitMs } = load;
          const longest = loopWaitMs > poolWaitMs ? 'event_loop' : 'pool_queue';
          expect(reasonToShed(load, calmAgoMs)).toBe(loopWaitMs + poolWaitMs <= maxWaitMs ? undefined : longest);
        }),
      );
    },
  );

  test('sooner where a queue stands than where a crowd has just come', () => {
    fc.assert(
      fc.property(anyLoad, amount, amount, (load, calmAgoMs, longer) => {
        fc.pre(reasonToShed(load, calmAgoMs) !== undefined);
        expect(reasonToShed(load, calmAgoMs + longer)).toBeDefined();
      }),
    );
  });

  test('by a queue that stands only while somebody waits for more than 100 ms', () => {
    const queue = { ...calm, inFlight: 50, poolWaiting: 21 };
    expect([isCalm({ ...queue, loopWaitMs: 60, poolWaitMs: 40 }), isCalm({ ...queue, loopWaitMs: 60, poolWaitMs: 41 })]).toEqual([
      true,
      false,
    ]);
  });

  test('never while those ahead of it are only the work at hand, however slow they are', () => {
    fc.assert(
      fc.property(anyLoad, ({ inFlight, poolWaiting, ...load }) => {
        const few = { ...load, inFlight: inFlight % 50, poolWaiting: poolWaiting % (2 * load.poolMax + 1) };
        expect([reasonToShed(few, 1e9), isCalm(few)]).toEqual([undefined, true]);
      }),
    );
  });

  test('also when there is no memory for it', () => {
    expect(reasonToShed({ ...calm, inFlight: 10_000 }, 0)).toBe('in_flight');
  });

  test('no less when there is more ahead of it', () => {
    fc.assert(
      fc.property(anyLoad, amount, amount, amount, (load, calmAgoMs, loopMore, poolMore) => {
        fc.pre(reasonToShed(load, calmAgoMs) !== undefined);
        const more = { ...load, loopWaitMs: load.loopWaitMs + loopMore, poolWaitMs: load.poolWaitMs + poolMore };
        expect(reasonToShed(more, calmAgoMs)).toBeDefined();
      }),
    );
  });
});

describe('who asks again before Retry-After is over', () => {
  test('is left unread for three times as long as the refusals of a turn took, from half a second to five', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 10_000, noNaN: true }), (turnMs) => {
        const ms = parkedMs(turnMs);
        expect(ms).toBe(turnMs < 500 / 3 ? 500 : turnMs > 5_000 / 3 ? 5_000 : 3 * turnMs);
      }),
    );
  });

  test('is told by the time since its refusal, of which this process may have taken a turn itself', () => {
    fc.assert(
      fc.property(fc.nat(5_000), fc.nat(5_000), (sinceMs, turnMs) => {
        expect(isHasty(sinceMs, turnMs)).toBe(sinceMs - turnMs <= 1_000);
      }),
    );
  });
});

/** A server behind the door, under a load that the test sets. */
async function setUp({ isProxy = false, maxSockets = 1 } = {}) {
  const state = { load: calm, isDraining: false, passed: 0, shed: [] as string[], pauses: 0, paused: new Set<Socket>(), shedMs: 0 };
  const door = shedLoad({
    isDraining: () => state.isDraining,
    load: () => state.load,
    isExempt: isHealthPath,
    isProxy: () => isProxy,
    corsHeaders: corsHeaders(['https://shop.example']),
    onShed: (reason, method) => {
      state.shed.push(`${method} ${reason}`);
      for (const startedMs = performance.now(); performance.now() - startedMs < state.shedMs;);
    },
  });
  const server = createServer(
    door((_req, res) => {
      state.passed += 1;
      res.end('passed');
    }),
  );
  server.on('connection', (socket) =>
    socket.on('pause', () => {
      state.pauses += 1;
      state.paused.add(socket);
    }),
  );
  const port = await listen(server);
  const agent = new Agent({ keepAlive: true, maxSockets });
  const ask = async (path: string, options: { method?: string; headers?: Record<string, string>; body?: string } = {}) => {
    const sent = request({ port, path, agent, method: options.method ?? 'GET', headers: options.headers ?? {} });
    sent.end(options.body);
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += chunk;
    return { status: response.statusCode, headers: response.headers, text, isReused: sent.reusedSocket };
  };
  return { state, ask };
}

describe('who is turned away', () => {
  test('gets the whole document with the id of its request, and when to come again', async () => {
    const { state, ask } = await setUp();
    state.load = crowded;
    const { status, headers, text } = await ask('/products/1', { headers: { 'x-request-id': 'r-1', origin: 'https://shop.example' } });
    expect(status).toBe(503);
    expect(headers).toMatchObject({
      'content-type': 'application/problem+json',
      'content-length': String(text.length),
      'retry-after': '1',
      'cache-control': 'no-store',
      'x-request-id': 'r-1',
      'access-control-allow-origin': 'https://shop.example',
      vary: 'Origin',
    });
    expect(JSON.parse(text)).toMatchObject({ status: 503, code: 'overloaded', errors: [], request_id: 'r-1' });
    expect([state.passed, state.shed]).toEqual([0, ['GET event_loop']]);
  });

  test('keeps its connection, also when its body was not read, and no id of its own that could break the document', async () => {
    const { state, ask } = await setUp();
    state.load = crowded;
    const refused = await ask('/orders', { method: 'POST', body: 'x'.repeat(300_000), headers: { 'x-request-id': '","a":"' } });
    expect(JSON.parse(refused.text)).toMatchObject({ code: 'overloaded', request_id: refused.headers['x-request-id'] });
    state.load = calm;
    expect(await ask('/orders')).toMatchObject({ status: 200, text: 'passed', isReused: true });
  });

  test('and asks again before it may is not read for a moment, so that haste costs nobody else; then it is', async () => {
    const { state, ask } = await setUp();
    state.load = crowded;
    await ask('/products/1');
    expect(state.pauses).toBe(0);
    await ask('/products/1');
    expect(await ask('/products/1')).toMatchObject({ status: 503, isReused: true });
    expect(state.pauses).toBeGreaterThanOrEqual(1);
    state.load = calm;
    expect(await ask('/products/1')).toMatchObject({ status: 200, isReused: true });
  });

  test('and asks at once is not read for a moment either, when what it sent lay in its socket for longer than Retry-After', async () => {
    const { state, ask } = await setUp({ maxSockets: 2 });
    const both = () => Promise.all([ask('/products/1'), ask('/products/2')]);
    await both();
    Object.assign(state, { load: crowded, shedMs: 1_200 });
    await both();
    expect(state.paused.size).toBe(0);
    state.shedMs = 0;
    await both();
    expect(state.paused.size).toBe(2);
  });

  test('behind a proxy leaves its connection to the next of its clients', async () => {
    const { state, ask } = await setUp({ isProxy: true });
    state.load = crowded;
    for (let times = 0; times < 3; times += 1) await ask('/products/1');
    expect(state.pauses).toBe(0);
  });

  test.each(['/livez', '/readyz/', '/api/v1/health_check?x=1'])('is never whoever asks for %s', async (path) => {
    const { state, ask } = await setUp();
    Object.assign(state, { load: crowded, isDraining: true });
    expect(await ask(path)).toMatchObject({ status: 200, text: 'passed' });
  });

  test('is everybody while the process drains, on a connection that then ends', async () => {
    const { state, ask } = await setUp();
    state.isDraining = true;
    const { status, headers, text } = await ask('/products/1');
    expect([status, headers.connection, JSON.parse(text).code, headers['retry-after']]).toEqual([503, 'close', 'draining', '1']);
  });
});
