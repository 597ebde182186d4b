import { Pool } from 'undici';
import { messageOf, UnreachableError } from '#lib/errors.ts';

export type HttpRequest = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
};

export type HttpAnswer = {
  readonly status: number;
  readonly requestId: string | undefined;
  readonly text: string;
  /** The body parsed; undefined when it is no JSON. */
  readonly json: unknown;
};

/** Requests around a run: set-up, samples and clean-up. The load itself never goes through here. */
export type HttpClient = {
  readonly origin: string;
  /** @throws {UnreachableError} when no complete answer came within 10 s. */
  readonly send: (request: HttpRequest) => Promise<HttpAnswer>;
  readonly close: () => Promise<void>;
};

const timeoutMs = 10_000;

/** @param connections how many requests are under way at most; further ones wait */
export function createHttpClient(origin: string, connections = 8): HttpClient {
  const pool = new Pool(origin, { connections, pipelining: 1, connect: { timeout: timeoutMs } });
  return {
    origin,
    send: async ({ method, path, headers = {}, body }) => {
      try {
        const response = await pool.request({
          method,
          path,
          headers: { ...headers, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
          body: body === undefined ? null : JSON.stringify(body),
          signal: AbortSignal.timeout(timeoutMs),
        });
        const text = await response.body.text();
        const requestId = [response.headers['x-request-id']].flat()[0];
        return { status: response.statusCode, requestId, text, json: parseJson(text) };
      } catch (err) {
        throw new UnreachableError(`${origin} does not answer ${method} ${path}: ${messageOf(err)}`, { cause: err });
      }
    },
    close: () => pool.destroy(),
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Runs `work` for each item, at most `width` at a time; rejects with the first error once all that had begun ended. */
export async function forEachOf<T>(items: readonly T[], width: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values();
  const lanes = Array.from({ length: Math.min(width, items.length) }, async () => {
    for (const item of queue) await work(item);
  });
  const failed = (await Promise.allSettled(lanes)).find((lane) => lane.status === 'rejected');
  if (failed) throw failed.reason;
}
