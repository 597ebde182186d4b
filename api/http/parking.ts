import type { Socket } from 'node:net';

/** As told by Retry-After. */
const retryAfterMs = 1_000;
/** Half of it, so that whoever is let in then is still answered soon. */
const leastParkedMs = 500;
/** By then a client that waits for its answer may have given up. */
const mostParkedMs = 5_000;
/** Of the time of a process that has more to do than it can, refusals of hasty clients shall take a quarter at most. */
const parkedTurns = 3;

/**
 * How long hasty clients are not read, after a turn of the event loop that refused them. Where a turn takes long, because of their
 * number or since the machine is busy, they wait longer: else nothing but refusals would be done. Pure.
 */
export function parkedMs(turnMs: number): number {
  return Math.min(mostParkedMs, Math.max(leastParkedMs, parkedTurns * turnMs));
}

/**
 * Whether a client asks again before Retry-After is over. What it sent may have lain in its socket as long as a turn took. Pure.
 * @param sinceMs since it was refused
 */
export function isHasty(sinceMs: number, turnMs: number): boolean {
  return sinceMs <= retryAfterMs + turnMs;
}

/**
 * Leaves connections unread for a while whose clients are hasty. They would otherwise keep the event loop busy with refusing them, and
 * every turn of the loop is what those who were let in wait for.
 * @returns to be told of each connection that was refused
 */
export function createParking(): (socket: Socket) => void {
  const refusedAt = new WeakMap<Socket, number>();
  let hasty: Socket[] = [];
  let turnStartedMs: number | undefined;
  let last = { endedMs: -Infinity, tookMs: 0 };
  // By the end of the turn the refusals are written, after which Node would go on reading.
  const endTurn = (startedMs: number): void => {
    const endedMs = performance.now();
    last = { endedMs, tookMs: endedMs - startedMs };
    turnStartedMs = undefined;
    const sockets = hasty;
    hasty = [];
    for (const socket of sockets) socket.pause();
    const resume = (): void => {
      for (const socket of sockets) socket.resume();
    };
    if (sockets.length > 0) setTimeout(resume, parkedMs(last.tookMs)).unref();
  };
  return (socket) => {
    const nowMs = performance.now();
    if (turnStartedMs === undefined) {
      turnStartedMs = nowMs;
      setImmediate(endTurn, nowMs);
    }
    const lastTookMs = nowMs - last.endedMs > retryAfterMs ? 0 : last.tookMs;
    const sinceMs = nowMs - (refusedAt.get(socket) ?? -Infinity);
    refusedAt.set(socket, nowMs);
    if (isHasty(sinceMs, Math.max(lastTookMs, nowMs - turnStartedMs))) hasty.push(socket);
  };
}
