import type { RequestListener } from 'node:http';
import { ApiError } from '../errors.ts';
import { requestIdFrom } from './exchange.ts';
import { createParking } from './parking.ts';
import { problemDocument } from './problem.ts';

/** How loaded this process is, read for every request. */
export type Load = {
  /** Requests being worked on. */
  readonly inFlight: number;
  /** How long the event loop will be busy with those, in milliseconds. */
  readonly loopWaitMs: number;
  /** How many wait for a database connection, of how many there are, and how long whoever joins them will, in milliseconds. */
  readonly poolWaiting: number;
  readonly poolMax: number;
  readonly poolWaitMs: number;
};

/**
 * Who would wait longer is turned away. A crowd that comes at once is served, if it takes a moment; a queue that stands would
 * only make everybody wait, so that what is let in is then answered within a second, of which half is left for the work itself.
 */
const maxWaitMs = { crowd: 5_000, standing: 500 };
/** Who waits no longer does not notice. A queue stands once it has been longer than that all the time for `standsAfterMs`. */
const calmWaitMs = 100;
const standsAfterMs = 1_000;
/** So few are no queue, however slow they are: they are the work at hand. */
const leastInFlight = 50;
const leastWaitingEach = 2;
/** Bounds the memory that requests take. */
const maxInFlight = 10_000;

export type ShedReason = 'in_flight' | 'pool_queue' | 'event_loop';

/** The times for which whoever comes now will wait, of those that count as a queue. Pure. */
function waitsOf({ inFlight, loopWaitMs, poolWaiting, poolMax, poolWaitMs }: Load): { readonly loopMs: number; readonly poolMs: number } {
  return {
    loopMs: inFlight < leastInFlight ? 0 : loopWaitMs,
    poolMs: poolWaiting <= leastWaitingEach * poolMax ? 0 : poolWaitMs,
  };
}

/** Whether whoever comes now will hardly wait. Pure. */
export function isCalm(load: Load): boolean {
  const { loopMs, poolMs } = waitsOf(load);
  return loopMs + poolMs <= calmWaitMs;
}

/**
 * Why a request is turned away now, or undefined when it will be done in time. Pure.
 * @param calmAgoMs how long ago the load was calm
 */
export function reasonToShed(load: Load, calmAgoMs: number): ShedReason | undefined {
  if (load.inFlight >= maxInFlight) return 'in_flight';
  const { loopMs, poolMs } = waitsOf(load);
  if (loopMs + poolMs <= (calmAgoMs > standsAfterMs ? maxWaitMs.standing : maxWaitMs.crowd)) return undefined;
  return loopMs > poolMs ? 'event_loop' : 'pool_queue';
}

export type ShedLoadDeps = {
  readonly isDraining: () => boolean;
  readonly load: () => Load;
  /** Whether a path is answered whatever the load: whoever asks must learn of just that. */
  readonly isExempt: (path: string) => boolean;
  /** Whether many clients come through the connections from that address, of whom none shall wait for another's haste. */
  readonly isProxy: (address: string) => boolean;
  /** Names and values in turn of what lets a page of that origin see the answer. */
  readonly corsHeaders: (origin: string | undefined) => readonly string[];
  readonly onShed: (reason: ShedReason | 'draining', method: string) => void;
};

/**
 * Turns requests away before any work is done for them, their bodies not even read: all of them while draining, the
 * excess under overload. Such a request has no line in the access log, which would cost more than the refusal; it is counted.
 */
export function shedLoad(deps: ShedLoadDeps): (listener: RequestListener) => RequestListener {
  const { isDraining, load, isExempt, isProxy, corsHeaders, onShed } = deps;
  const noteRefused = createParking();
  const refusals = {
    draining: preparedRefusal(new ApiError('draining', 'This server is shutting down and did not begin the request.')),
    overloaded: preparedRefusal(new ApiError('overloaded', 'The server has more to do than it can; it did not begin the request.')),
  };
  let calmAtMs = performance.now();
  const reasonNow = (): ShedReason | undefined => {
    const [now, nowMs] = [load(), performance.now()];
    if (isCalm(now)) calmAtMs = nowMs;
    return reasonToShed(now, nowMs - calmAtMs);
  };
  return (listener) => (req, res) => {
    const reason = isDraining() ? 'draining' : reasonNow();
    if (reason === undefined || isExempt(pathOf(req.url))) return listener(req, res);
    onShed(reason, req.method ?? '');
    const { headers, before, after } = reason === 'draining' ? refusals.draining : refusals.overloaded;
    const id = requestIdFrom(req.headers['x-request-id']);
    const body = before + id + after;
    res.writeHead(503, [...headers, 'X-Request-ID', id, 'Content-Length', String(body.length), ...corsHeaders(req.headers.origin)]);
    res.end(body);
    if (reason !== 'draining' && !isProxy(req.socket.remoteAddress ?? '')) noteRefused(req.socket);
  };
}

const pathOf = (url = '/'): string => url.split('?', 1)[0] as string;

/** A refusal but for its request id. All of it is ASCII. */
function preparedRefusal(error: ApiError): { readonly headers: readonly string[]; readonly before: string; readonly after: string } {
  const [before = '', after = ''] = problemDocument(error, '\0').split(JSON.stringify('\0').slice(1, -1));
  const closing = error.code === 'draining' ? { Connection: 'close' } : {};
  const fixed = { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' };
  return { headers: Object.entries({ ...fixed, ...error.headers, ...closing }).flat(), before, after };
}

/** Counts the requests being worked on, and tells when there are none. */
export class InFlight {
  #count = 0;
  #departed = 0;
  #onIdle: (() => void)[] = [];

  get count(): number {
    return this.#count;
  }

  /** How many are done. */
  get departed(): number {
    return this.#departed;
  }

  enter(): void {
    this.#count += 1;
  }

  leave(): void {
    this.#count -= 1;
    this.#departed += 1;
    if (this.#count > 0) return;
    const waiting = this.#onIdle;
    this.#onIdle = [];
    for (const resolve of waiting) resolve();
  }

  /** Resolves when no request is being worked on; now, when none is. */
  whenIdle(): Promise<void> {
    return this.#count === 0 ? Promise.resolve() : new Promise((resolve) => this.#onIdle.push(resolve));
  }
}
