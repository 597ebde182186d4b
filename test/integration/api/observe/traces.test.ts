import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createOtlpExporter, type Span, type SpanExporter } from '#api/observe/otlp-exporter.ts';
import { createLogger } from '#lib/logger.ts';
import { call } from '#test/support/api-process.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';
import { test as programTest } from '../processes/running-api.ts';

type Received = { readonly url: string; readonly headers: IncomingMessage['headers']; readonly body: any };
/** `hang` never answers; a number is the status that it answers with. */
type Behaviour = number | 'hang';
type Collector = { readonly url: string; readonly received: readonly Received[]; readonly behave: (next: Behaviour) => void };

/** A collector of traces that keeps what it gets. */
async function startCollector(): Promise<Collector> {
  const received: Received[] = [];
  let behaviour: Behaviour = 200;
  const answer = async (req: IncomingMessage, res: ServerResponse): Promise<void> => {
    received.push({ url: req.url ?? '', headers: req.headers, body: JSON.parse(await text(req)) });
    if (behaviour !== 'hang') res.writeHead(behaviour).end('{}');
  };
  const server = createServer((req, res) => void answer(req, res));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    behave: (next) => {
      behaviour = next;
    },
  };
}

const spansIn = (received: readonly Received[]): any[] =>
  received.flatMap(({ body }) => body.resourceSpans.flatMap((one: any) => one.scopeSpans.flatMap((scope: any) => scope.spans)));
const valuesOf = (attributes: readonly { key: string; value: object }[]): Record<string, unknown> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));

const span: Span = {
  name: 'GET /products/:id',
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  spanId: '00f067aa0ba902b7',
  parentId: undefined,
  startMs: 1_764_136_800_123.456,
  durationMs: 1.5,
  isError: false,
  attributes: { 'http.response.status_code': 200 },
};

function openExporter(endpoint: string): { exporter: SpanExporter; log: () => string } {
  let log = '';
  const logger = createLogger('api', { LOG_LEVEL: 'info', LOG_FORMAT: 'json' }, { write: (line) => void (log += line) });
  const exporter = createOtlpExporter({
    endpoint,
    headers: { 'api-key': 'k' },
    serviceName: 's',
    serviceVersion: '1',
    logger,
    sendEveryMs: 20,
  });
  onTestFinished(exporter.stop);
  return { exporter, log: () => log };
}

const add = ({ add: addOne }: SpanExporter, count: number): void => {
  for (let index = 0; index < count; index += 1) addOne(span);
};

describe('the exporter of traces', () => {
  test('sends spans in batches, as OTLP has them', async () => {
    const collector = await startCollector();
    const { exporter } = openExporter(`${collector.url}/`);
    add(exporter, 600);
    await expect.poll(() => exporter.counts()).toEqual({ exported: 600, dropped: 0 });
    expect(collector.received.map(({ url, headers }) => [url, headers['api-key']])).toEqual(
      Array.from({ length: 3 }, () => ['/v1/traces', 'k']),
    );
    expect(collector.received.map(({ body }) => spansIn([{ body } as Received]).length)).toEqual([256, 256, 88]);
    expect(spansIn(collector.received)[0]).toEqual({
      traceId: span.traceId,
      spanId: span.spanId,
      name: span.name,
      kind: 2,
      startTimeUnixNano: '1764136800123456000',
      endTimeUnixNano: '1764136800124956000',
      attributes: [{ key: 'http.response.status_code', value: { intValue: '200' } }],
      status: {},
    });
  });

  test('sends again what a collector could not take for now, and gives up what it refuses', async () => {
    const collector = await startCollector();
    const { exporter, log } = openExporter(collector.url);
    collector.behave(503);
    add(exporter, 1);
    await expect.poll(() => collector.received.length).toBe(1);
    collector.behave(200);
    await expect.poll(() => exporter.counts(), { timeout: 10_000 }).toEqual({ exported: 1, dropped: 0 });
    collector.behave(400);
    add(exporter, 1);
    await expect.poll(() => exporter.counts()).toEqual({ exported: 1, dropped: 1 });
    expect(log().split('\n').filter(Boolean)).toHaveLength(2);
    expect(log()).toContain('status 503');
  });

  test('holds so many while a collector hangs or is gone, drops the rest, and ends all the same', async () => {
    const collector = await startCollector();
    collector.behave('hang');
    for (const endpoint of [collector.url, 'http://127.0.0.1:1']) {
      const { exporter } = openExporter(endpoint);
      add(exporter, 5_000);
      expect(exporter.counts()).toEqual({ exported: 0, dropped: 5_000 - 2_048 });
      await exporter.stop();
      expect(exporter.counts()).toEqual({ exported: 0, dropped: 5_000 });
    }
  });
});

programTest(
  'a request goes on with the trace of its caller, in its log lines, its answer and the collector, whatever that does',
  async ({ start }) => {
    const collector = await startCollector();
    const folder = await temporaryFolder();
    const api = await start({
      LOG_DIR: folder,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_HEADERS: 'api-key=collector-secret=,x-team=shop',
      OTEL_TRACES_SAMPLER_ARG: '0',
      API_WORKERS: '1',
    });
    const [traceId, parentId] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];
    const traced = { traceparent: `00-${traceId}-${parentId}-01`, 'x-request-id': 'traced' };
    const answer = await call(`${api.url}/products?limit=1`, { headers: traced });
    const [, answered = '', spanId = '', flags] = answer.headers.get('traceresponse')?.split('-') ?? [];
    expect([answered, flags]).toEqual([traceId, '01']);
    expect(spanId).toMatch(/^[\da-f]{16}$/);
    const untraced = await call(`${api.url}/products/1`, { headers: { traceparent: 'nonsense', 'x-request-id': 'untraced' } });
    expect(untraced.headers.get('traceresponse'), 'nobody asked').toBeNull();
    await expect.poll(() => spansIn(collector.received), { timeout: 10_000 }).toHaveLength(1);
    expect(spansIn(collector.received)[0]).toMatchObject({ traceId, spanId, parentSpanId: parentId, name: 'GET /products', kind: 2 });
    expect(valuesOf(spansIn(collector.received)[0].attributes)).toEqual({
      'http.request.method': 'GET',
      'http.response.status_code': '200',
      'http.route': '/products',
      'url.path': '/products',
      'atalaya.request_id': 'traced',
    });
    expect(collector.received[0]?.headers).toMatchObject({ 'api-key': 'collector-secret=', 'x-team': 'shop' });

    collector.behave('hang');
    for (let asked = 0; asked < 10; asked += 1) expect((await call(`${api.url}/products`, { headers: traced })).status).toBe(200);
    expect(await api.stop()).toBe(0);
    expect(api.stdout()).not.toContain('collector-secret');
    const lines = (await readFile(join(folder, 'access.log'), 'utf8')).trim().split('\n');
    const lineOf = (id: string): unknown => JSON.parse(lines.find((line) => line.includes(`"request_id":"${id}"`)) ?? '{}');
    expect(lineOf('traced')).toMatchObject({ trace_id: traceId, span_id: spanId });
    expect(lineOf('untraced')).toMatchObject({
      trace_id: expect.stringMatching(/^[\da-f]{32}$/) as string,
      span_id: expect.stringMatching(/^[\da-f]{16}$/) as string,
    });
  },
);
