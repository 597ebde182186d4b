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

const readBytes = 64 * 1024;
const lateDetail = 'no complete answer in time';
const haltDetail = 'the answer began and stopped before it was as long as announced';
const brokenDetail = 'the answer was cut short or breaks HTTP';
const closedDetail = 'the other side closed the connection';

/** @param timeoutMs for a whole exchange, the opening of the connection included; kept to within some milliseconds */
export const openConnection = (origin: string, timeoutMs: number): Connection => new OwnConnection(origin, timeoutMs);

type Sent = { readonly step: Step; readonly startedMs: number; readonly settle: (exchange: Exchange) => void };

class OwnConnection implements Connection {
  readonly #origin: string;
  readonly #host: string;
  readonly #timeoutMs: number;
  readonly #buffer = Buffer.allocUnsafeSlow(readBytes);
  readonly #parser = new AnswerParser();
  #socket: Socket | undefined;
  #sent: Sent | undefined;
  #timer: NodeJS.Timeout | undefined;
  #idleSinceMs = 0;
  #reuseMs = 0;

  constructor(origin: string, timeoutMs: number) {
    this.#origin = origin;
    this.#host = new URL(origin).host;
    this.#timeoutMs = timeoutMs;
  }

  send(step: Step): Promise<Exchange> {
    return new Promise((settle) => {
      let bytes: string | Buffer;
      try {
        bytes = encodeRequest(step, this.#host);
      } catch (err) {
        settle({ kind: 'connection-error', ms: 0, detail: `not sent: ${messageOf(err)}` });
        return;
      }
      const startedMs = performance.now();
      if (startedMs - this.#idleSinceMs > this.#reuseMs) this.#drop();
      this.#socket ??= this.#open();
      this.#sent = { step, startedMs, settle };
      this.#parser.begin(step.method);
      this.#timer ??= setTimeout(() => this.#watch(), this.#timeoutMs);
      if (typeof bytes === 'string') this.#socket.write(bytes, 'latin1');
      else this.#socket.write(bytes);
    });
  }

  close(): Promise<void> {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    const closed = new Promise<void>((resolve) => (socket ? socket.once('close', () => resolve()) : resolve()));
    this.#fail('closed by this client');
    return closed;
  }

  #open(): Socket {
    const socket = connect(this.#origin, this.#buffer, (size) => {
      if (this.#socket === socket) this.#read(size);
    });
    const lose = (detail: string): void => {
      if (this.#socket === socket) this.#fail(detail);
    };
    socket.on('error', (err) => lose(describe(err)));
    socket.on('end', () => {
      if (this.#socket === socket && this.#sent && this.#parser.end()) this.#complete(this.#sent);
      else lose(closedDetail);
    });
    socket.on('close', () => lose(closedDetail));
    return socket;
  }

  #drop(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #read(size: number): void {
    // What nobody has asked for would be taken for the answer to what is asked next.
    if (!this.#sent) return this.#drop();
    try {
      if (this.#parser.take(this.#buffer, size)) this.#complete(this.#sent);
    } catch (err) {
      this.#fail(messageOf(err));
    }
  }

  #complete({ step, startedMs }: Sent): void {
    this.#idleSinceMs = performance.now();
    const { status, headers, isLast } = this.#parser.head as AnswerHead;
    this.#reuseMs = reusableMs(headers['keep-alive']);
    if (isLast || step.headers['connection'] !== undefined) this.#drop();
    this.#settle({ kind: 'answer', status, headers, body: this.#parser.body(), ms: this.#idleSinceMs - startedMs });
  }

  /** The connection is of no use any more; with a request under way that is what became of it. */
  #fail(detail: string): void {
    this.#drop();
    if (!this.#sent) return;
    const ms = performance.now() - this.#sent.startedMs;
    if (this.#parser.hasBegun) this.#settle(this.#brokenAnswer(ms, `${brokenDetail}: ${detail}`));
    else this.#settle({ kind: 'connection-error', ms, detail });
  }

  /** One timer for many requests: it looks whether the one under way is due, and comes again when that will be. */
  #watch(): void {
    this.#timer = undefined;
    if (!this.#sent) return;
    const [ms, leftMs] = [this.#timeoutMs, this.#sent.startedMs + this.#timeoutMs - performance.now()];
    if (leftMs > 0) {
      this.#timer = setTimeout(() => this.#watch(), leftMs);
      return;
    }
    this.#drop();
    if (this.#parser.bodyBytes > 0) this.#settle(this.#brokenAnswer(ms, haltDetail));
    else this.#settle({ kind: 'timeout', ms, detail: lateDetail });
  }

  #brokenAnswer(ms: number, detail: string): Exchange {
    const { status = 0, headers } = this.#parser.head ?? {};
    return { kind: 'broken-answer', ms, detail, status, requestId: headers?.['x-request-id'], received: this.#parser.body() };
  }

  #settle(exchange: Exchange): void {
    const sent = this.#sent;
    this.#sent = undefined;
    sent?.settle(exchange);
  }
}

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
