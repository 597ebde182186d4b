import { performance } from 'node:perf_hooks';
import { Client, type Dispatcher } from 'undici';
import { messageOf } from '#lib/errors.ts';
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

export function openConnection(origin: string, timeoutMs: number): Connection {
  const client = new Client(origin, {
    pipelining: 1,
    connect: { timeout: timeoutMs },
    // One deadline for the whole exchange is kept below; undici's own count from other moments and by half seconds.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  return {
    send: (step) =>
      new Promise((resolve) => {
        client.dispatch(
          { method: step.method, path: step.path, headers: step.headers, body: step.body ?? null },
          listen(timeoutMs, resolve),
        );
      }),
    close: () => client.destroy(),
  };
}

const lateDetail = 'no complete answer in time';
const haltDetail = 'the answer began and stopped before it was as long as announced';

/** Listens to one exchange, to its end or its deadline. */
function listen(timeoutMs: number, resolve: (exchange: Exchange) => void): Dispatcher.DispatchHandler {
  const startedMs = performance.now();
  const chunks: Buffer[] = [];
  let head: Pick<Answer, 'status' | 'headers'> | undefined;
  let isLate = false;
  let controls: Dispatcher.DispatchController | undefined;
  const timer = setTimeout(() => {
    isLate = true;
    // Before the exchange is cut off: what that raises is no news. A connection still being opened cannot be cut off.
    if (head && chunks.length > 0) settle(brokenAnswer(head, timeoutMs, haltDetail));
    else settle({ kind: 'timeout', ms: timeoutMs, detail: lateDetail });
    controls?.abort(new Error(lateDetail));
  }, timeoutMs);
  const settle = (exchange: Exchange): void => {
    clearTimeout(timer);
    resolve(exchange);
  };
  const body = (): string => (chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)).toString('utf8');
  const brokenAnswer = ({ status, headers }: Pick<Answer, 'status' | 'headers'>, ms: number, detail: string): Exchange => ({
    kind: 'broken-answer',
    ms,
    detail,
    status,
    requestId: headers['x-request-id'],
    received: body(),
  });
  return {
    onRequestStart: (controller) => {
      controls = controller;
      if (isLate) controller.abort(new Error(lateDetail));
    },
    onResponseStart: (_controller, status, headers) => {
      head = { status, headers: joinRepeated(headers) };
    },
    onResponseData: (_controller, chunk) => {
      chunks.push(chunk);
    },
    onResponseEnd: () => {
      if (head) settle({ kind: 'answer', ...head, body: body(), ms: performance.now() - startedMs });
    },
    onResponseError: (_controller, err) => {
      const ms = performance.now() - startedMs;
      const detail = describe(err);
      if (head) settle(brokenAnswer(head, ms, `the answer was cut short or breaks HTTP: ${detail}`));
      else if (isHttpBroken(err)) settle(brokenAnswer({ status: 0, headers: {} }, ms, detail));
      else settle({ kind: 'connection-error', ms, detail });
    },
  };
}

/** undici names them in lower case, and makes the object for each answer; copying it would cost more than reading it. */
function joinRepeated(headers: Record<string, string | string[] | undefined>): Record<string, string | undefined> {
  for (const name in headers) {
    const value = headers[name];
    if (Array.isArray(value)) headers[name] = value.join(', ');
  }
  return headers as Record<string, string | undefined>;
}

/** llhttp's complaints about what came where a status line should. */
const isHttpBroken = (err: Error): boolean => codeOf(err)?.startsWith('HPE_') ?? false;

const codeOf = (err: Error): string | undefined => {
  const { code } = err as { code?: unknown };
  return typeof code === 'string' ? code : undefined;
};

function describe(err: Error): string {
  const code = codeOf(err);
  return code === undefined ? messageOf(err) : `${code}: ${messageOf(err)}`;
}
