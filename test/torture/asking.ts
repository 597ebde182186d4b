import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import type { Random } from '#loadtest/generate/random.ts';
import { outcomeOf, type Entry, type What } from './history.ts';
import type { Violation } from './rules.ts';

/** How the clients ask, and what is written down of it. */

export type Ask = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: object;
};

export type Answer = { readonly status: number; readonly body: string; readonly etag: string | undefined };

export type Course = {
  readonly history: Entry[];
  /** What a client was shown that no right server shows, whatever befalls it. */
  readonly seen: Violation[];
  readonly count: {
    requests: number;
    unanswered: number;
    /** By status and route, such as `503 POST /orders/:id/cancel`. */ readonly byAnswer: Map<string, number>;
  };
  /** Requests with a key, to be asked again. */
  readonly sent: Map<string, { readonly what: What; readonly request: Ask }>;
  readonly isOver: () => boolean;
  /** Milliseconds; nothing moves it. */
  readonly now: () => number;
  /** Undefined when no whole answer came. */
  readonly ask: (request: Ask) => Promise<Answer | undefined>;
  readonly close: () => Promise<void>;
};

/** A client gives up on an answer after that long. */
const timeoutMs = 6_000;

/** @param perSecond how many requests are sent at most, as of now; default: as many as the clients like */
export function openCourse(origin: string, connections: number, isOver: () => boolean, perSecond = (): number => Infinity): Course {
  const pool = new Pool(origin, {
    connections,
    pipelining: 1,
    headersTimeout: timeoutMs,
    bodyTimeout: timeoutMs,
    connectTimeout: timeoutMs,
  });
  let nextMs = 0;
  const turn = async (): Promise<void> => {
    const nowMs = performance.now();
    const waitMs = nextMs - nowMs;
    nextMs = Math.max(nextMs, nowMs) + 1_000 / perSecond();
    if (waitMs > 0) await sleep(waitMs);
  };
  const count = { requests: 0, unanswered: 0, byAnswer: new Map<string, number>() };
  return {
    history: [],
    seen: [],
    count,
    sent: new Map(),
    isOver,
    now: () => performance.now(),
    ask: async ({ method, path, headers, body }) => {
      await turn();
      count.requests += 1;
      try {
        const answer = await pool.request({
          method,
          path: `/api/v1${path}`,
          headers: body === undefined ? headers : { ...headers, 'content-type': 'application/json' },
          body: body === undefined ? null : JSON.stringify(body),
        });
        const text = await answer.body.text();
        const { statusCode: status } = answer;
        const name = `${status} ${method} ${path.replace(/\?.*/, '').replaceAll(/\d+/g, ':id')}`;
        count.byAnswer.set(name, (count.byAnswer.get(name) ?? 0) + 1);
        return { status, body: text, etag: answer.headers['etag'] as string | undefined };
      } catch {
        count.unanswered += 1;
        return undefined;
      }
    },
    close: () => pool.destroy(),
  };
}

export type Write = {
  /** Whose, for the history, and the Idempotency-Key: that of a client is another than the same of another. */
  readonly actor: string;
  readonly key: string;
  readonly what: What;
  readonly request: Ask;
  readonly isAsking?: boolean;
};

/** Sends a write, with its key where the API honours one, and writes down what came of it. */
export async function send(course: Course, { actor, key, what, request, isAsking = false }: Write): Promise<Answer | undefined> {
  const name = `${actor}/${key}`;
  const isKeyed = request.method === 'POST' && what.kind !== 'refresh';
  const withKey = isKeyed ? { ...request, headers: { ...request.headers, 'idempotency-key': key } } : request;
  if (isKeyed) course.sent.set(name, { what, request: withKey });
  const sentAtMs = course.now();
  const answer = await course.ask(withKey);
  const status = answer?.status ?? null;
  const outcome = outcomeOf(status);
  course.history.push({
    key: name,
    what,
    sentAtMs,
    endedAtMs: course.now(),
    outcome,
    status,
    code: outcome === 'acknowledged' || answer === undefined ? null : codeOf(answer.body),
    body: outcome === 'acknowledged' && answer !== undefined ? answer.body : null,
    isAsking,
  });
  return answer;
}

function codeOf(body: string): string | null {
  return /"code":"(\w+)"/.exec(body)?.[1] ?? null;
}

/** Whether it may have been done, for all the client knows. */
export const isOpen = (answer: Answer | undefined): boolean => outcomeOf(answer?.status ?? null) === 'unknown';

/** The same until it is told, now and then not: a client that gives up, and one that asks again later. */
export async function insist(course: Course, random: Random, write: Write): Promise<Answer | undefined> {
  for (let left = 5; ; left -= 1) {
    const answer = await send(course, write);
    if (!isOpen(answer) || left === 0 || course.isOver() || random() < 0.2) return answer;
    await pause(random, answer);
  }
}

/** After a failure a client waits, as good ones do. */
export const pause = (random: Random, answer: Answer | undefined): Promise<void> =>
  answer !== undefined && answer.status < 500 ? Promise.resolve() : sleep(20 + random() * 80);
