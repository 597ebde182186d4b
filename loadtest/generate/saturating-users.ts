import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import autocannon, { type Client, type Instance, type Options, type Request } from 'autocannon';
import { guardClient } from './guarded-client.ts';
import type { Session } from './session.ts';
import type { Step } from '../scenarios/shop/answers.ts';
import type { LiveOptions } from './thinking-users.ts';
import { requestHeaders, type VirtualClient, type VirtualUser } from './virtual-user.ts';

/**
 * Users who never pause: as many connections as users, each sending its next request the moment the last is answered.
 * Driven by one autocannon, of whose figures none is used: it rounds to milliseconds, mixes all endpoints and leaves
 * timeouts out. Times are taken here, from just before the request is written to when its body is complete.
 * (`ignoreCoordinatedOmission` is not set because autocannon refuses it without a rate, and corrects nothing without one.)
 * @returns how many requests had no outcome when the books were closed.
 */
export async function runSaturatingUsers(options: LiveOptions): Promise<number> {
  const { users, stop, session } = options;
  const flights = users.map(({ user, client }) => createFlight(user, client, session, options.timeoutMs));
  const waiting = [...flights];
  const { instance, ended } = start({
    url: options.origin,
    connections: users.length,
    pipelining: 1,
    timeout: options.timeoutMs / 1_000,
    // It ends when told to, below.
    duration: 1_000_000,
    sampleInt: 100,
    setupClient: (connection) => waiting.shift()?.board(connection, () => !stop.aborted),
  });
  await aborted(stop);
  const giveUpMs = performance.now() + options.timeoutMs + 1_000;
  while (flights.some((flight) => flight.isUnderWay()) && performance.now() < giveUpMs) await sleep(20);
  instance.stop();
  await ended;
  return flights.filter((flight) => flight.isUnderWay()).length;
}

function start(options: Options): { instance: Instance; ended: Promise<void> } {
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  const instance = autocannon(options, (err: unknown) => (err ? reject(err) : resolve()));
  return { instance, ended };
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** One user on one connection: which request is under way, since when, and what became of it. */
function createFlight(user: VirtualUser, client: VirtualClient, session: Session, timeoutMs: number) {
  let underWay: { readonly step: Step; readonly startedMs: number } | undefined;
  let next = user.journey.next().value;
  let isFirst = true;
  let answeredSinceLoss = true;

  const onLost = (): void => {
    if (underWay === undefined) return;
    const { step, startedMs } = underWay;
    const ms = performance.now() - startedMs;
    underWay = undefined;
    if (ms >= timeoutMs - 1) session.failed(step, 'timeout', timeoutMs, 'no complete answer in time');
    else session.failed(step, 'connection-error', ms, 'the connection failed or was closed before the answer');
  };
  const onResponse = (status: number, body: string, _context: object, headers: Record<string, unknown> | undefined): void => {
    if (underWay === undefined) return;
    const { step, startedMs } = underWay;
    underWay = undefined;
    answeredSinceLoss = true;
    const answer = { status, body, serverTiming: field(headers, 'server-timing'), requestId: field(headers, 'x-request-id') };
    session.answered(step, answer, performance.now() - startedMs);
  };
  const wasAnswered = (): boolean => {
    const was = answeredSinceLoss;
    answeredSinceLoss = false;
    return was;
  };
  const requestOf = (step: Step): Request => ({
    method: step.method,
    path: step.path,
    headers: requestHeaders(client.accessToken, step),
    body: step.body ?? '',
  });

  return {
    isUnderWay: () => underWay !== undefined,
    board: (connection: Client, isOpen: () => boolean): void => {
      guardClient(connection, { onLost, isOpen, wasAnswered });
      // Raised just before a request is built and written; the first one is built by setRequests already.
      (connection as NodeJS.EventEmitter).on('request', () => {
        if (isFirst) isFirst = false;
        else next = user.journey.next().value;
        underWay = { step: next, startedMs: performance.now() };
        session.sent(next);
      });
      connection.setRequests([{ setupRequest: (defaults) => ({ ...defaults, ...requestOf(next) }), onResponse }]);
    },
  };
}

/** autocannon hands over header names as the server wrote them. */
function field(headers: Record<string, unknown> | undefined, name: string): string | undefined {
  if (headers === undefined) return undefined;
  for (const [key, value] of Object.entries(headers)) if (key.toLowerCase() === name) return String(value);
  return undefined;
}
