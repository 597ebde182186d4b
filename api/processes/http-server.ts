import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, problemTypes, type ProblemCode } from '../errors.ts';
import { requestIdFrom } from '../http/exchange.ts';
import { problemDocument } from '../http/problem.ts';
import type { InFlight } from '../http/shed-load.ts';
import type { AccessEntry } from '../logs/access-line.ts';

/**
 * The HTTP server of a worker, with its times set on purpose: kept-alive connections outlive those of a proxy in front
 * (nginx: 60 s), and a client that sends slowly does not hold a connection for minutes.
 */
export function createHttpServer(listener: RequestListener, writeAccess: (entry: AccessEntry) => void): Server {
  const server = createServer(
    {
      keepAliveTimeout: 65_000,
      headersTimeout: 15_000,
      requestTimeout: 30_000,
      connectionsCheckingInterval: 5_000,
      noDelay: true,
      optimizeEmptyRequests: true,
    },
    listener,
  );
  // What Node would refuse by itself without a line or a document goes the way of every request, which refuses it.
  server.on('checkExpectation', listener);
  server.on('clientError', (err, socket) => answerClientError(err, socket, writeAccess));
  return server;
}

const detailOf = {
  malformed_request: 'The request is not valid HTTP.',
  headers_too_large: 'The headers are too large.',
  request_timeout: 'The request did not arrive in time.',
} as const satisfies Partial<Record<ProblemCode, string>>;

/** What does not become a request never reaches the middleware; it gets its problem document here. */
function answerClientError(err: NodeJS.ErrnoException, socket: Duplex, writeAccess: (entry: AccessEntry) => void): void {
  if (err.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const code = codeOf(err);
  const requestId = requestIdFrom(undefined);
  const { status, title } = problemTypes[code];
  const body = problemDocument(new ApiError(code, detailOf[code]), requestId);
  socket.end(
    `HTTP/1.1 ${status} ${title}\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `X-Request-ID: ${requestId}\r\nConnection: close\r\n\r\n${body}`,
  );
  // What it was a request for was not understood, or is not worth believing.
  const unread = { traceId: undefined, spanId: undefined, method: '-', path: '-', route: undefined, principal: undefined, durationMs: 0 };
  writeAccess({ ...unread, requestId, status, bytes: Buffer.byteLength(body), ip: (socket as Socket).remoteAddress ?? '' });
}

function codeOf({ code }: NodeJS.ErrnoException): keyof typeof detailOf {
  if (code === 'HPE_HEADER_OVERFLOW') return 'headers_too_large';
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'request_timeout' : 'malformed_request';
}

export type DrainOptions = {
  /** After so long, connections that are still busy are cut. */
  readonly deadlineMs: number;
  /**
   * How long at least the listener stays open, answering 503: a load balancer learns of the drain, and a request that is
   * already under way on a kept-alive connection gets an answer that is safe to retry instead of a reset.
   */
  readonly lingerMs: number;
  /** How long at most it stays open for those that go on connecting: what waits to be accepted when it closes is lost. */
  readonly maxLingerMs: number;
  /** Nobody new for so long: the load balancers have noticed, and nothing waits to be accepted. */
  readonly quietMs: number;
};

/**
 * Ends a server without losing what it accepted. The caller has already made it answer new requests with 503.
 * @returns whether everything was answered before the deadline
 */
export async function drainServer(server: Server, inFlight: InFlight, options: DrainOptions): Promise<boolean> {
  const { deadlineMs, lingerMs, maxLingerMs, quietMs } = options;
  const deadline = new AbortController();
  const late = sleep(deadlineMs, false, { signal: deadline.signal }).catch(() => false);
  const quiet = Promise.race([untilQuiet(server, quietMs, deadline.signal), sleep(maxLingerMs, undefined, { signal: deadline.signal })]);
  const idle = Promise.all([sleep(lingerMs), quiet.catch(() => undefined)]).then(() => inFlight.whenIdle());
  const finished = await Promise.race([idle.then(() => true), late]);
  const closed = new Promise<boolean>((resolve) => {
    server.close(() => resolve(true));
  });
  server.closeIdleConnections();
  // Answers may still be on their way to slow readers.
  const flushed = finished && (await Promise.race([closed, late]));
  if (!flushed) server.closeAllConnections();
  deadline.abort();
  return flushed;
}

/** Resolves once nobody new has connected for a while. */
async function untilQuiet(server: Server, quietMs: number, signal: AbortSignal): Promise<void> {
  let lastAt = performance.now();
  const note = (): void => {
    lastAt = performance.now();
  };
  server.on('connection', note);
  try {
    for (let restMs = quietMs; restMs > 0; restMs = lastAt + quietMs - performance.now()) await sleep(restMs, undefined, { signal });
  } finally {
    server.off('connection', note);
  }
}
