import { pick, randomInt, type Random } from '#loadtest/generate/random.ts';

/** A request, before it is bytes. */
export type Draft = {
  readonly method: string;
  readonly target: string;
  /** Header lines beside those that the body and HTTP itself ask for. */
  readonly lines: readonly string[];
  readonly body: Buffer | undefined;
};

/** Header lines that clients, proxies and attackers send. */
export const strangeLines: readonly string[] = [
  'Accept: text/html',
  'Accept-Encoding: gzip, br',
  'X-Request-ID: not a good id',
  'X-Request-ID: good-id.1',
  `X-Request-ID: ${'x'.repeat(1_000)}`,
  'X-Forwarded-For: 10.1.2.3, , unknown',
  'X-Forwarded-For: ::1%eth0',
  'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  'traceparent: nonsense',
  'Origin: https://evil.example',
  'Cookie: session=1; a',
  'Expect: 100-continue',
  'Expect: a-miracle',
  'Content-Encoding: gzip',
  'Content-Type: text/plain',
  'Content-Type: application/json; charset=utf-16',
  'Content-Type: application/json; charset="utf-8"',
  'Content-Type: application/merge-patch+json',
  'Content-Type: ;',
  'Range: bytes=0-1',
  'TE: trailers',
  'Upgrade: websocket\r\nConnection: upgrade',
  'X-HTTP-Method-Override: DELETE',
  'If-Modified-Since: Thu, 26 Nov 2026 05:00:00 GMT',
  'Connection: close',
  'Host: evil.example',
  'Forwarded: for=1.2.3.4',
  `X-Padding: ${'x'.repeat(8_000)}`,
];

/** A well-formed request, as far as its parts are. */
export function bytesOf({ method, target, lines, body }: Draft): Buffer {
  const own = new Set(lines.map((line) => line.slice(0, line.indexOf(':')).toLowerCase()));
  const usual = [
    ...(own.has('host') ? [] : ['Host: localhost']),
    ...(body && !own.has('content-type') ? ['Content-Type: application/json'] : []),
    ...(body && !own.has('transfer-encoding') ? [`Content-Length: ${body.length}`] : []),
  ];
  const head = `${method} ${target} HTTP/1.1\r\n${[...usual, ...lines].join('\r\n')}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), body ?? Buffer.alloc(0)]);
}

/**
 * What becomes of a draft. `isStray`: it may lead to another operation than the draft's, or to none; the others as in `Case`.
 */
export type Hostile = { readonly isStray?: boolean; readonly isFramed?: boolean; readonly isHead?: boolean } & (
  | Partial<Draft>
  | { readonly raw: Buffer }
);

/** What can be done to a request that no client of this API does: its method, target, framing, body and headers. */
export const hostileWays: readonly ((draft: Draft, random: Random) => Hostile)[] = Object.values<(draft: Draft, random: Random) => Hostile>(
  {
    method: (_draft, random) => {
      const method = pick(random, [
        'TRACE',
        'PROPFIND',
        'QUERY',
        'OPTIONS',
        'LINK',
        'get',
        'Get',
        'FOO',
        'HEAD',
        'DELETE',
        'POST',
        'PUT',
        'M-SEARCH',
      ]);
      return { method, isStray: true, isHead: method === 'HEAD', isFramed: false };
    },
    target: ({ target }, random) => ({
      isStray: true,
      isFramed: false,
      target: pick(random, [
        `http://localhost${target}`,
        `//evil.example${target}`,
        `${target}/%2e%2e/clients`,
        `/..${target}`,
        target.replaceAll('/', '//'),
        target.toUpperCase(),
        `${target};v=1`,
        `${target}%20`,
        `/${'a/'.repeat(2_000)}`,
        `/${'%41'.repeat(1_000)}`,
        '*',
        '/',
        '/%',
        '/\xF1\xFF',
        '/debug/tables',
        '/.env',
        '/api/v1',
        `${target}#x`,
        `${target}??`,
      ]),
    }),
    framing: (draft, random) => ({
      isStray: true,
      isFramed: false,
      raw: pick(random, rawRequests(draft)),
    }),
    chunked: ({ body = Buffer.alloc(0), lines }) => ({
      lines: [...lines, 'Transfer-Encoding: chunked'],
      body: Buffer.concat([Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from(body.length > 0 ? '\r\n0\r\n\r\n' : '\r\n')]),
    }),
    bytes: ({ body }, random) => (body ? { body: spoiled(body, random) } : { body: Buffer.from('{}') }),
    header: ({ lines }, random) => ({ lines: [...lines, pick(random, strangeLines), pick(random, strangeLines)], isFramed: false }),
  },
);

function rawRequests({ method, target, lines }: Draft): readonly Buffer[] {
  const head = (...own: string[]): string => `${method} ${target} HTTP/1.1\r\n${own.join('\r\n')}\r\n\r\n`;
  return [
    head(...lines),
    head('Host: a', 'Content-Length: 2', 'Transfer-Encoding: chunked') + '0\r\n\r\n',
    `${head('Host: a', 'Content-Length: 2', 'Content-Length: 3')}{}`,
    `${head('Host: a', 'Content-Length: -1')}{}`,
    `${head('Host: a', 'Content-Length: 1e1')}{}`,
    `${head('Host: a', 'Transfer-Encoding: gzip, chunked')}0\r\n\r\n`,
    `${head('Host: a', 'Transfer-Encoding: chunked')}zz\r\n`,
    head('Host: a', 'Host: b'),
    head('Host: a', 'no colon'),
    head('Host: a', ': empty'),
    head('Host: a', 'X-Bad\x00Name: 1'),
    head('Host: a', 'X-Folded: 1', ' 2'),
    head('Host: a', `X-Long: ${'x'.repeat(20_000)}`),
    head('Host: a', ...Array.from({ length: 2_100 }, (_, at) => `X-${at}: 1`)),
    `${method} ${target} HTTP/9.9\r\nHost: a\r\n\r\n`,
    `${method} ${target} HTTP/1.0\r\n\r\n`,
    `${method} ${target}\r\n\r\n`,
    `${method}  ${target} HTTP/1.1\r\nHost: a\r\n\r\n`,
    `${method} ${target} HTTP/1.1\nHost: a\n\n`,
    '\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    '\r\n\r\n\r\nNONSENSE\r\n\r\n',
  ].map((text) => Buffer.from(text, 'latin1'));
}

function spoiled(body: Buffer, random: Random): Buffer {
  const text = body.toString('utf8');
  const at = randomInt(random, 0, body.length);
  return pick(random, [
    Buffer.alloc(0),
    body.subarray(0, at),
    Buffer.concat([body.subarray(0, at), Buffer.from([0xc3, 0x28]), body.subarray(at)]),
    Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), body]),
    Buffer.from(body.toString('utf8'), 'utf16le'),
    Buffer.from('['.repeat(50) + ']'.repeat(50)),
    Buffer.from(`${'{"a":'.repeat(30)}1${'}'.repeat(30)}`),
    Buffer.from(text.replace(/\d+/, '1e309')),
    Buffer.from(text.replace(/\d+/, '-0')),
    Buffer.from(text.replace(/\d+/, '1E400')),
    Buffer.from(text.replace(/\d+/, '9'.repeat(400))),
    Buffer.from(text.replace(/\d+/, '0.1000000000000000055511151231257827')),
    Buffer.from(text.replace(/"[^"]*"/, '"\\u0000"')),
    Buffer.from(text.replace(/"[^"]*"/, '"\\ud800"')),
    Buffer.from(text.replace('{', '{"__proto__":{"polluted":true},')),
    Buffer.from(text.replace('}', `,${text.slice(1)}`)),
    Buffer.from(`${text}${text}`),
    Buffer.from(`{"x":"${'x'.repeat(300_000)}"}`),
    Buffer.from('null'),
    Buffer.from('"text"'),
    Buffer.from(`${' '.repeat(1_000)}${text}`),
    Buffer.from("{'single': 1}"),
    Buffer.from('NaN'),
  ]);
}
