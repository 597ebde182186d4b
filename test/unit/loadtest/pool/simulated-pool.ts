import { mostOf, type Answered, type Kind, type Session, type Settings } from '#loadtest/pool/recording.ts';
import type { Port } from '#loadtest/pool/suite.ts';
import { createVirtualTime, type VirtualTime } from '../conformance/virtual-time.ts';

/** What a pool does otherwise than it should. */
export type Flaw =
  | 'no cap'
  | 'one connection too few'
  | 'timeout twice as long'
  | 'no timeout'
  | 'refuses at once'
  | '500 instead of 503'
  | 'no Retry-After'
  | 'leaks when the client leaves'
  | 'leaks on 404'
  | 'leaks on timeout'
  | 'a transaction takes two connections'
  | 'never shrinks'
  | 'never recycles'
  | 'slow requests first'
  | 'lets quick requests wait for slow ones'
  | 'leaks when the client leaves at once'
  | 'leaks on one route of many'
  | 'collapses in overload'
  | 'stays slow after overload'
  | 'keeps dead connections'
  | 'lends dead connections'
  | 'counts failed connections'
  | 'closes connections below the size'
  | 'uses a connection once'
  | 'opens half'
  | 'opens one for everyone who waits'
  | 'leaks on a 500'
  | 'serves the last first'
  | 'leaks on a failed transaction'
  | 'leaves a failed transaction open'
  | 'is told as down when busy'
  | 'is told with another capacity';

type Connection = {
  readonly pid: number;
  readonly bornMs: number;
  freeAtMs: number;
  isUsed: boolean;
  isDead: boolean;
  inTransaction: boolean;
};
/** Of what counts as a connection and is none. */
const noPid = 0;
const isSession = ({ pid }: Connection): boolean => pid !== noPid;
type Waiter = { readonly isSlow: boolean; readonly take: (connection: Connection | undefined) => void };

const clientGivesUpMs = 8_000;
const leaves: Partial<Record<Kind, number>> = { abandoned: 50, hasty: 4 };

/** An API with a pool, in time that passes only when everything waits for it. */
export function simulatePool(settings: Settings, flaw: Flaw | undefined): { readonly port: Port; readonly time: VirtualTime } {
  const time = createVirtualTime();
  const is = (one: Flaw): boolean => flaw === one;
  const most = is('no cap')
    ? Infinity
    : is('opens half')
      ? mostOf(settings) / 2
      : mostOf(settings) - (is('one connection too few') ? 1 : 0);
  const kept = is('closes connections below the size') ? 0 : settings.workers * settings.size;
  const sleep = (ms: number): Promise<void> => time.waitUntil(time.now() + ms);
  let connections: Connection[] = [];
  let waiters: Waiter[] = [];
  let pids = 0;
  let lock: Promise<void> | undefined;
  let isShut = false;
  let routed = 0;
  let slowAtWork = 0;
  let refusedMs = -Infinity;

  const isWorn = ({ bornMs }: Connection): boolean =>
    settings.recycleMs > 0 && !is('never recycles') && time.now() - bornMs > settings.recycleMs;
  const drop = (which: (one: Connection) => boolean): void => void (connections = connections.filter((one) => one.isUsed || !which(one)));
  const isRested = ({ freeAtMs }: Connection): boolean => connections.length > kept && time.now() - freeAtMs >= settings.idleMs;
  const tidy = (): void => {
    drop(isWorn);
    if (!is('keeps dead connections') && !is('lends dead connections')) drop(({ isDead }) => isDead);
    if (!is('never shrinks')) for (const one of connections) if (isRested(one)) drop((other) => other === one);
  };
  /** Null: none could be opened. */
  const free = (): Connection | undefined | null => {
    tidy();
    const found = connections.findLast(({ isUsed }) => !isUsed);
    if (found) return found;
    if (connections.length >= most) return undefined;
    pids += 1;
    const opened = { pid: isShut ? noPid : pids, bornMs: time.now(), freeAtMs: 0, isUsed: isShut, isDead: false, inTransaction: false };
    if (!isShut || is('counts failed connections')) connections.push(opened);
    return isShut ? null : opened;
  };
  const isHeldBack = ({ isSlow }: Waiter): boolean => is('lets quick requests wait for slow ones') && !isSlow && slowAtWork > 0;
  const hand = (): void => {
    for (let next = waiters[0]; next; next = waiters[0]) {
      if (isHeldBack(next)) return;
      const preferred = is('slow requests first')
        ? waiters.find(({ isSlow }) => isSlow)
        : is('serves the last first')
          ? waiters.at(-1)
          : next;
      const first = preferred ?? next;
      const connection = free();
      if (connection === undefined) return;
      if (connection) connection.isUsed = true;
      waiters = waiters.filter((one) => one !== first);
      first.take(connection ?? undefined);
    }
  };
  const expire = async (waiter: Waiter, timeoutMs: number): Promise<void> => {
    await sleep(timeoutMs);
    if (!waiters.includes(waiter)) return;
    waiters = waiters.filter((one) => one !== waiter);
    if (is('leaks on timeout'))
      connections.push({ pid: (pids += 1), bornMs: time.now(), freeAtMs: 0, isUsed: true, isDead: false, inTransaction: false });
    waiter.take(undefined);
  };
  const acquire = (isSlow: boolean): Promise<Connection | undefined> =>
    new Promise((resolve) => {
      const waiter = { isSlow, take: resolve };
      waiters.push(waiter);
      hand();
      const timeoutMs = is('refuses at once') ? 150 : settings.timeoutMs * (is('timeout twice as long') ? 2 : 1);
      if (is('opens one for everyone who waits') && waiters.includes(waiter)) pids += 1;
      if (is('no timeout') || !waiters.includes(waiter)) return;
      void expire(waiter, timeoutMs);
    });
  const release = (connection: Connection): void => {
    Object.assign(connection, { isUsed: false, freeAtMs: time.now() });
    if (is('uses a connection once') || (is('lends dead connections') && connection.isDead)) drop((one) => one === connection);
    hand();
  };

  const refusal = (): Answered => ({
    status: is('500 instead of 503') ? 500 : 503,
    retryAfter: is('no Retry-After') ? undefined : '1',
    waitMs: null,
    holdMs: null,
  });
  const serve = async (kind: Kind): Promise<Answered> => {
    if (kind === 'invalid') return { status: 422, retryAfter: undefined, waitMs: 0, holdMs: 0 };
    const isSlow = kind === 'slow' || kind === 'abandoned';
    if (is('stays slow after overload') && time.now() - refusedMs < 10_000) await sleep(300);
    const askedMs = time.now();
    const connection = await acquire(isSlow);
    if (!connection) {
      await sleep(5);
      refusedMs = time.now();
      return refusal();
    }
    const waitMs = time.now() - askedMs;
    const heldMs = time.now();
    const work = await atWork(kind, connection);
    connection.inTransaction = kind === 'failing' && is('leaves a failed transaction open');
    const isLost =
      (kind === 'missing' && is('leaks on 404')) ||
      (kind === 'abandoned' && is('leaks when the client leaves')) ||
      (kind === 'hasty' && is('leaks when the client leaves at once')) ||
      (kind === 'route' && is('leaks on one route of many') && (routed += 1) % 40 === 0) ||
      (kind === 'broken' && is('leaks on a 500')) ||
      (kind === 'failing' && is('leaks on a failed transaction'));
    if (isLost) return work;
    const answered = { ...work, waitMs, holdMs: time.now() - heldMs };
    release(connection);
    return answered;
  };
  const atWork = async (kind: Kind, connection: Connection): Promise<Answered> => {
    const done = { status: kind === 'missing' || kind === 'failing' ? 404 : 200, retryAfter: undefined, waitMs: 0, holdMs: 0 };
    await sleep(10);
    if (connection.isDead || kind === 'broken') return { ...done, status: 500 };
    if (kind === 'order' || kind === 'hasty') {
      connection.inTransaction = true;
      await lock;
      await sleep(5);
      const second = is('a transaction takes two connections') ? await acquire(false) : undefined;
      if (is('a transaction takes two connections') && !second) return refusal();
      if (second) release(second);
    }
    const thrash = is('collapses in overload') ? 1 + Math.max(0, waiters.length - mostOf(settings)) / 10 : 1;
    const isSlow = kind === 'slow' || kind === 'abandoned';
    slowAtWork += Number(isSlow);
    await sleep(isSlow ? 1_000 * thrash : 40);
    slowAtWork -= Number(isSlow);
    return done;
  };

  const port: Port = {
    now: time.now,
    waitUntil: time.waitUntil,
    lane: () => ({
      send: (kind) => {
        // A request that nothing can hold up needs no deadline, which would only be one more event.
        const served = serve(kind);
        if (kind === 'invalid') return served;
        const gone = sleep(leaves[kind] ?? clientGivesUpMs).then((): Answered => ({
          status: null,
          retryAfter: undefined,
          waitMs: null,
          holdMs: null,
        }));
        return Promise.race([served, gone]);
      },
      close: async () => {},
    }),
    look: async () => {
      tidy();
      const sessions = connections.filter(isSession).map((one): Session => ({
        pid: one.pid,
        ageMs: time.now() - one.bornMs,
        state: one.inTransaction ? 'idle in transaction' : one.isUsed ? 'active' : 'idle',
      }));
      const inUse = connections.filter(({ isUsed }) => isUsed).length;
      const each = settings.size + settings.overflow;
      const capacity = is('is told with another capacity') ? settings.size : each;
      const status = is('is told as down when busy') && waiters.length > 0 ? 503 : 200;
      const told = is('opens half') ? most : mostOf(settings);
      return {
        inUse,
        waiting: waiters.length,
        capacity: told,
        sessions,
        opened: pids,
        health: { status, capacity, lent: null },
        cpu: { all: time.now(), idle: time.now() },
      };
    },
    lock: async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      lock = promise;
      return async () => resolve();
    },
    terminateHalf: async () => {
      const sessions = connections.filter(isSession);
      const half = sessions.slice(0, Math.ceil(sessions.length / 2));
      for (const one of half) one.isDead = true;
      return half.length;
    },
    shut: async () => {
      isShut = true;
      for (const one of connections) one.isDead = true;
      return async () => void (isShut = false);
    },
  };
  return { port, time };
}
