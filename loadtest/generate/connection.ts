import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { connect as connectTls } from 'node:tls';
import { messageOf } from '#lib/errors.ts';
import type { AnswerHead } from './answer-head.ts';
import { AnswerParser } from './answer-parser.ts';
import { encodeRequest } from './encode-request.ts';
import type { Answer, Step } from './step.ts';

export type Received = Answer & {
  /** From just before the request was written to when the answer was complete. */
  readonly ms: number;
};

/** What became of one request. */
export type Exchange =
  | ({ readonly kind: 'answer' } & Received)
  | { readonly kind: 'timeout'; readonly ms: number; readonly detail: string }
  | { readonly kind: 'connection-error'; readonly ms: number; readonly detail: string }
  /** An answer began and then broke the rules of HTTP, or ended before it was complete. */
  | {
      readonly kind: 'broken-answer';
      readonly ms: number;
      readonly detail: string;
      readonly status: number;
      readonly requestId: string | undefined;
      readonly received: string;
    };

/** One connection of one user, opened with the first request and again after it was lost. One request at a time. */
export type Connection = {
  /** Never rejects. */
  readonly send: (step: Step) => Promise<Exchange>;
  readonly close: () => Promise<void>;
};

const lateDetail = 'no complete answer in time';
const haltDetail = 'the answer began and stopped before it was as long as announced';
const brokenDetail = 'the answer was cut short or breaks HTTP';
const closedDetail = 'the other side closed the connection';

type Sent = { readonly step: Step; readonly startedMs: number; readonly resolve: (exchange: Exchange) => void };

/**
 * @param timeoutMs for a whole exchange, the opening of the connection included; held to within some milliseconds
 */
export function openConnection(origin: string, timeoutMs: number): Connection {
  const { host } = new URL(origin);
  const buffer = Buffer.allocUnsafeSlow(readBytes);
  const parser = new AnswerParser();
  let socket: Socket | undefined;
  let sent: Sent | undefined;
  let timer: NodeJS.Timeout | undefined;
  let idleSinceMs = 0;
  let reuseMs = 0;

  const settle = (exchange: Exchange): void => {
    const { resolve } = sent as Sent;
    sent = undefined;
    resolve(exchange);
  };
  const drop = (): void => {
    socket?.destroy();
    socket = undefined;
  };
  /** The connection is of no use any more, whatever the reason; with a request under way that is what became of it. */
  const fail = (detail: string): void => {
    drop();
    if (!sent) return;
    const ms = performance.now() - sent.startedMs;
    if (parser.hasBegun) settle(brokenAnswer(ms, `${brokenDetail}: ${detail}`));
    else settle({ kind: 'connection-error', ms, detail });
  };
  const brokenAnswer = (ms: number, detail: string): Exchange => {
    const { status = 0, headers } = parser.head ?? {};
    return { kind: 'broken-answer', ms, detail, status, requestId: headers?.['x-request-id'], received: parser.body() };
  };
  const complete = ({ step, startedMs }: Sent): void => {
    idleSinceMs = performance.now();
    const { status, headers, isLast } = parser.head as AnswerHead;
    reuseMs = reusableMs(headers['keep-alive']);
    if (isLast || step.headers['connection'] !== undefined) drop();
    settle({ kind: 'answer', status, headers, body: parser.body(), ms: idleSinceMs - startedMs });
  };
  const received = (size: number): void => {
    if (!sent) return drop();
    try {
      if (parser.take(buffer, size)) complete(sent);
    } catch (err) {
      fail(messageOf(err));
    }
  };
  const open = (): Socket => {
    const mine = connect(origin, buffer, (size) => {
      if (socket === mine) received(size);
    });
    const lose = (why: () => string): void => {
      if (socket === mine) fail(why());
    };
    mine.on('error', (err) => lose(() => describe(err)));
    mine.on('end', () => (socket === mine && sent && parser.end() ? complete(sent) : lose(() => closedDetail)));
    mine.on('close', () => lose(() => closedDetail));
    return mine;
  };
  /** One timer for many requests: it looks whether the one under way is due, and comes again when that will be. */
  const watch = (): void => {
    timer = undefined;
    if (!sent) return;
    const leftMs = sent.startedMs + timeoutMs - performance.now();
    if (leftMs > 0) {
      timer = setTimeout(watch, leftMs);
      return;
    }
    drop();
    if (parser.head && parser.bodyBytes > 0) settle(brokenAnswer(timeoutMs, haltDetail));
    else settle({ kind: 'timeout', ms: timeoutMs, detail: lateDetail });
  };

  return {
    send: (step) =>
      new Promise((resolve) => {
        const bytes = encode(step, host);
        if (bytes instanceof Error) return resolve({ kind: 'connection-error', ms: 0, detail: `not sent: ${bytes.message}` });
        const startedMs = performance.now();
        if (startedMs - idleSinceMs > reuseMs) drop();
        socket ??= open();
        sent = { step, startedMs, resolve };
        parser.begin(step.method);
        timer ??= setTimeout(watch, timeoutMs);
        if (typeof bytes === 'string') socket.write(bytes, 'latin1');
        else socket.write(bytes);
      }),
    close: () => {
      clearTimeout(timer);
      const last = socket;
      const closed = new Promise<void>((resolve) => (last ? last.once('close', () => resolve()) : resolve()));
      fail('closed by this client');
      return closed;
    },
  };
}

function encode(step: Step, host: string): string | Buffer | Error {
  try {
    return encodeRequest(step, host);
  } catch (err) {
    return err as Error;
  }
}

const readBytes = 64 * 1024;

/** What is read lies in the buffer until `onRead` returns. */
function connect(origin: string, buffer: Buffer, onRead: (size: number) => void): Socket {
  const { protocol, hostname, port } = new URL(origin);
  const isTls = protocol === 'https:';
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const callback = (size: number): boolean => {
    onRead(size);
    return true;
  };
  const options = { host, port: Number(port || (isTls ? 443 : 80)), noDelay: true, onread: { buffer, callback } };
  const named = isIP(host) === 0 ? { servername: host } : {};
  return isTls ? connectTls({ ...options, ...named, ALPNProtocols: ['http/1.1'] }) : connectPlain(options);
}

/** Where a server does not say how long it keeps an idle connection: less than servers do by default, Node's 5 s among them. */
const usualReuseMs = 4_000;

/** How long a connection may be idle and yet carry another request without meeting the server's closing it. */
function reusableMs(keepAlive: string | undefined): number {
  const seconds = keepAlive === undefined ? undefined : /timeout=(\d+)/i.exec(keepAlive)?.[1];
  return seconds === undefined ? usualReuseMs : 1_000 * Math.max(Number(seconds) - 2, Number(seconds) / 2);
}

function describe(err: NodeJS.ErrnoException): string {
  return err.code === undefined ? messageOf(err) : `${err.code}: ${messageOf(err)}`;
}
