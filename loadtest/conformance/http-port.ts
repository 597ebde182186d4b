import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, type Dispatcher } from 'undici';
import { messageOf } from '#lib/errors.ts';
import type { Answer, Declared, Exchange } from './exchange.ts';
import type { Identities, Identity } from './identities.ts';
import type { Variation } from './matter.ts';
import type { Port } from './suite.ts';

const timeoutMs = 10_000;
/** Connections of one client that take turns, so that all workers of a target are met. */
const turns = 8;
/** Shorter than servers keep idle connections, so that no request meets one that is just being closed. */
const idleMs = 1_000;
const maxBodyChars = 2_000;
/** How often the event loop is asked to turn up. */
const tickMs = 5;

/** Fields that limits, times and problems are told in; no other is taken down. */
const isTold = (name: string): boolean => /^(x-)?rate-?limit|^(retry-after|content-type|date)$/.test(name);

export type HttpPort = Port & { readonly close: () => Promise<void> };

type Connection = { readonly client: Client; isBusy: boolean };

/** Sends over real connections, each client over its own. @param signal ends all waiting */
export function createHttpPort(origin: string, declared: Declared, identities: Identities, signal: AbortSignal): HttpPort {
  const pools = new Map<string, Connection[]>();
  const watch = watchLoop();
  const startedMs = performance.now();
  const now = (): number => performance.now() - startedMs;

  const connectionFor = (client: number, localAddress: string | undefined): Connection => {
    const pool = pools.get(`${client} ${localAddress}`) ?? [];
    pools.set(`${client} ${localAddress}`, pool);
    const idle = pool.length < turns ? -1 : pool.findIndex(({ isBusy }) => !isBusy);
    const [found] = idle < 0 ? [] : pool.splice(idle, 1);
    const connection = found ?? { client: openClient(origin, localAddress), isBusy: false };
    pool.push(connection);
    return connection;
  };

  return {
    now,
    waitUntil: async (atMs) => {
      signal.throwIfAborted();
      // Timers may fire up to a millisecond early.
      for (let leftMs = atMs - now(); leftMs > 0; leftMs = atMs - now()) await sleep(Math.max(1, leftMs), undefined, { signal });
    },
    send: async (client, variation) => {
      const identity = identities.at(client);
      const connection = connectionFor(client, variation.from ?? identity.localAddress);
      connection.isBusy = true;
      const sentMs = now();
      const outcome = await ask(connection.client, optionsOf(declared, identity, variation), signal);
      connection.isBusy = false;
      const endedMs = now();
      return { sentMs, endedMs, lateMs: watch.lateMs(startedMs + sentMs, startedMs + endedMs), ...outcome };
    },
    close: async () => {
      watch.stop();
      await Promise.all([...pools.values()].flat().map(({ client }) => client.destroy()));
    },
  };
}

const openClient = (origin: string, localAddress: string | undefined): Client =>
  new Client(origin, {
    pipelining: 1,
    keepAliveTimeout: idleMs,
    keepAliveMaxTimeout: idleMs,
    connect: { timeout: timeoutMs },
    ...(localAddress !== undefined && { localAddress }),
  });

/** A request as another one's proxy would send it carries nothing of the client's own identity but its credentials. */
function optionsOf(declared: Declared, identity: Identity, variation: Variation): Dispatcher.RequestOptions {
  const { spelling = (name) => name } = variation;
  const own = Object.entries(identity.headers).map(([name, value]) => [spelling(name), value]);
  return {
    method: variation.method ?? declared.method,
    path: variation.path ?? declared.path,
    headers: { ...Object.fromEntries(own), ...variation.headers },
  };
}

/** Never rejects. */
async function ask(client: Client, options: Dispatcher.RequestOptions, signal: AbortSignal): Promise<Pick<Exchange, 'answer' | 'failure'>> {
  const deadline = AbortSignal.timeout(timeoutMs);
  try {
    const { statusCode, headers, body } = await client.request({ ...options, signal: AbortSignal.any([deadline, signal]) });
    const text = await body.text();
    return { answer: answerOf(statusCode, headers, text) };
  } catch (err) {
    if (deadline.aborted) return { failure: { kind: 'timeout', detail: `no complete answer in ${timeoutMs / 1_000} s` } };
    return { failure: { kind: 'connection', detail: messageOf(err) } };
  }
}

function answerOf(status: number, headers: Readonly<Record<string, string | string[] | undefined>>, text: string): Answer {
  const fields = Object.entries(headers).flatMap(([name, value]) =>
    value !== undefined && isTold(name) ? [[name, [value].flat().join(', ')] as const] : [],
  );
  return { status, fields: Object.fromEntries(fields), body: status >= 400 ? text.slice(0, maxBodyChars) : '' };
}

type Stall = { readonly fromMs: number; readonly toMs: number };

/** Notes when this process' event loop stood still, by timers that came late. */
function watchLoop(): { lateMs: (fromMs: number, toMs: number) => number; stop: () => void } {
  const stalls: Stall[] = [];
  let dueMs = performance.now() + tickMs;
  const timer = setInterval(() => {
    const atMs = performance.now();
    if (atMs - dueMs > tickMs) stalls.push({ fromMs: dueMs, toMs: atMs });
    if (stalls.length > 1_000) stalls.shift();
    dueMs = atMs + tickMs;
  }, tickMs).unref();
  return {
    lateMs: (fromMs, toMs) => {
      // The loop may stand still right now, which no timer has seen yet.
      const all = [...stalls, { fromMs: dueMs, toMs: Math.max(dueMs, performance.now()) }];
      return Math.max(0, ...all.map((stall) => Math.min(toMs, stall.toMs) - Math.max(fromMs, stall.fromMs)));
    },
    stop: () => clearInterval(timer),
  };
}
