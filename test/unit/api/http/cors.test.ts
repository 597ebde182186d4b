import { globSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { cors, corsHeaders } from '#api/http/cors.ts';
import { Exchange, type ApiContext } from '#api/http/exchange.ts';
import { openApiDocument } from '#api/openapi/openapi-document.ts';
import { problemTypes } from '#api/errors.ts';
import { createRoutes, type ApiServices } from '#api/shop/routes.ts';

const origin = 'https://shop.example';
const document = openApiDocument(createRoutes({} as ApiServices)) as any;
const operations = Object.values<Record<string, any>>(document.paths).flatMap((path) => Object.values(path));

/** What a browser is told that a page of the shop may send. */
async function allowedHeaders(): Promise<string[]> {
  const state = new Exchange('id', '192.0.2.1', '/products');
  const headers = { origin, 'access-control-request-method': 'PUT' };
  const res = { headersSent: false, destroyed: false, writeHead: () => ({ end: () => {} }) };
  const ctx = { state, req: { method: 'OPTIONS', headers }, res, app: { isDraining: () => false } } as unknown as ApiContext;
  await cors([origin])(ctx, () => Promise.resolve());
  return namesIn(state.headers[state.headers.indexOf('Access-Control-Allow-Headers') + 1]);
}

const namesIn = (list = ''): string[] => list.toLowerCase().split(', ');

const sources = globSync('api/{http,health,openapi,observe}/**/*.ts').map((file) => readFileSync(file, 'utf8'));
const foundBy = (pattern: RegExp): string[] => [
  ...new Set(sources.flatMap((source) => [...source.matchAll(pattern)].map(([, name = '']) => name.toLowerCase()))),
];

/** Sent by the browser itself, or by a proxy. */
const notForPages = /^(access-control-request-method|content-length|transfer-encoding|x-forwarded-for)$/;
/** Every page sees these of an answer, or only its browser heeds them. */
const notOfPages = /^(access-control-.*|cache-control|connection|content-.*|set-cookie|vary|x-content-type-options)$/;

describe('a page of a listed origin', () => {
  test('may send every header that the API reads or documents, and what traces go on with', async () => {
    const read = foundBy(/\bheaders\['([a-z-]+)'\]/g);
    expect(read).toEqual(expect.arrayContaining(['if-match', 'traceparent', 'x-request-id', 'idempotency-key']));
    const documented = operations.flatMap(({ parameters }) => parameters).filter((one) => one.in === 'header');
    const known = [
      ...read,
      ...documented.map(({ name }) => name.toLowerCase()),
      'x-api-key',
      'authorization',
      'content-type',
      'tracestate',
    ];
    const allowed = await allowedHeaders();
    expect(known.filter((name) => !allowed.includes(name) && !notForPages.test(name))).toEqual([]);
  });

  test('may read every header that the API sends or documents', () => {
    const sent = foundBy(/'((?:X-[A-Z]|[A-Z]+[A-Za-z]+-[A-Z])[A-Za-z-]*|ETag|RateLimit|Traceresponse)'/g);
    expect(sent).toEqual(expect.arrayContaining(['traceresponse', 'x-request-id', 'ratelimit-policy', 'server-timing']));
    const ofRefusals = Object.values(problemTypes).flatMap((type) => Object.keys('headers' in type ? type.headers : {}));
    const documented = operations
      .flatMap(({ responses }) => Object.values<any>(responses))
      .flatMap(({ headers = {} }) => Object.keys(headers));
    const readable = namesIn(corsHeaders([origin])(origin).at(-1));
    const known = [...sent, ...[...ofRefusals, ...documented, 'Allow', 'Link', 'Location'].map((name) => name.toLowerCase())];
    const asked = new Set(['if-match', 'if-none-match', 'idempotency-key', 'x-api-key']);
    expect(known.filter((name) => !readable.includes(name) && !notOfPages.test(name) && !asked.has(name))).toEqual([]);
  });
});
