import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'undici';
import { messageOf } from '#lib/errors.ts';
import type { Session } from './session.ts';
import type { Step } from '../scenarios/shop/answers.ts';
import { requestHeaders, type VirtualClient, type VirtualUser } from './virtual-user.ts';

export type LiveOptions = {
  readonly origin: string;
  readonly users: readonly { readonly user: VirtualUser; readonly client: VirtualClient }[];
  readonly session: Session;
  readonly timeoutMs: number;
  /** Users arrive one after the other over this long. */
  readonly arrivalMs: number;
  /** When it fires, nobody sends anything more; what is under way is still answered. */
  readonly stop: AbortSignal;
};

/**
 * Users who pause between requests, each on a connection of its own, one request at a time.
 * They are driven by undici: autocannon 9 has no pause between the requests of a connection (`connectionRate` is a
 * quota a second, spent back to back and in phase over all connections). Its request timer also runs on through any
 * pause made by hand. What autocannon is good at, connections that never pause, is in saturating-users.
 * @returns how many requests had no outcome when it gave up waiting: 0 unless a timer failed.
 */
export async function runThinkingUsers(options: LiveOptions): Promise<number> {
  const count = options.users.length;
  const open = { requests: 0 };
  await Promise.all(options.users.map((one, i) => live(options, one, (options.arrivalMs * i) / count, open)));
  return open.requests;
}

async function live(options: LiveOptions, { user, client }: LiveOptions['users'][number], arriveMs: number, open: { requests: number }) {
  const { session, stop } = options;
  const connection = new Client(options.origin, {
    pipelining: 1,
    connect: { timeout: options.timeoutMs },
    // One deadline for the whole exchange is kept below; undici's own count from other moments and by half seconds.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  try {
    let dueMs = performance.now() + arriveMs;
    while (await pause(dueMs - performance.now(), stop)) {
      session.sentLate(performance.now() - dueMs);
      open.requests += 1;
      await send(connection, user.journey.next().value, client, options);
      open.requests -= 1;
      dueMs = performance.now() + user.thinkMs();
    }
  } finally {
    await connection.destroy();
  }
}

/** @returns false when the run is over. */
async function pause(ms: number, stop: AbortSignal): Promise<boolean> {
  if (stop.aborted) return false;
  return sleep(Math.max(0, ms), true, { signal: stop }).catch(() => false);
}

async function send(connection: Client, step: Step, client: VirtualClient, { session, timeoutMs }: LiveOptions): Promise<void> {
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), timeoutMs);
  const startedMs = performance.now();
  session.sent(step);
  try {
    const response = await connection.request({
      method: step.method,
      path: step.path,
      headers: requestHeaders(client.accessToken, step),
      body: step.body ?? null,
      signal: deadline.signal,
    });
    const body = await response.body.text();
    const ms = performance.now() - startedMs;
    const { headers, statusCode: status } = response;
    session.answered(step, { status, body, serverTiming: one(headers['server-timing']), requestId: one(headers['x-request-id']) }, ms);
  } catch (err) {
    const outcome = deadline.signal.aborted ? 'timeout' : 'connection-error';
    session.failed(step, outcome, deadline.signal.aborted ? timeoutMs : performance.now() - startedMs, describeFailure(err, outcome));
  } finally {
    clearTimeout(timer);
  }
}

const one = (value: string | string[] | undefined): string | undefined => (Array.isArray(value) ? value.join(', ') : value);

function describeFailure(err: unknown, outcome: string): string {
  if (outcome === 'timeout') return 'no complete answer in time';
  const code = (err as { code?: unknown }).code;
  return typeof code === 'string' ? `${code}: ${messageOf(err)}` : messageOf(err);
}
