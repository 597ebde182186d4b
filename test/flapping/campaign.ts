import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { startRedis, type TestRedis } from '../support/redis.ts';
import { judgeCaller, type Asked, type Judgement, type Window } from './judge.ts';

/** What is done to Redis in turn, and for how long each. */
export type Fault = 'none' | 'frozen' | 'killed' | 'both';

export type CampaignOptions = {
  readonly url: string;
  /** The Redis that the API counts in; undefined: it counts in its primary, and nothing is done. */
  readonly redis: TestRedis | undefined;
  readonly fault: Fault;
  /** Redis answers for so long, then is silent for so long. */
  readonly flapMs: number;
  readonly forMs: number;
  readonly window: Window;
  readonly onProgress?: (leftMs: number) => void;
};

export type Played = {
  /** Those that ask as fast as they can. */
  readonly greedy: readonly Judgement[];
  /** Those that stay within their limit. */
  readonly modest: readonly Judgement[];
  readonly faults: number;
};

const callers = 3;
const greedyAtOnce = 4;
const greedyPauseMs = 40;
/** Part of the limit that the modest ask for. */
const modesty = 0.8;

/** Plays callers against the API while its Redis comes and goes. */
export async function playFlapping(options: CampaignOptions): Promise<Played> {
  const { url, window, forMs } = options;
  const pool = new Pool(url, { connections: 64, pipelining: 1 });
  const endsAt = performance.now() + forMs;
  const isOver = (): boolean => performance.now() >= endsAt;
  const flapping = flap(options, isOver);
  const names = Array.from({ length: callers }, (_, index) => index + 1);
  try {
    const [greedy, modest, faults] = await Promise.all([
      Promise.all(names.map((name) => askGreedily(pool, `198.51.100.${name}`, isOver))),
      Promise.all(names.map((name) => askModestly(pool, `203.0.113.${name}`, window, isOver))),
      flapping,
    ]);
    const judged = (all: readonly (readonly Asked[])[]): Judgement[] => all.map((requests) => judgeCaller(requests, window));
    return { greedy: judged(greedy), modest: judged(modest), faults };
  } finally {
    await pool.destroy();
  }
}

async function ask(pool: Pool, address: string): Promise<Asked> {
  const sentMs = performance.now();
  const status = await pool
    .request({ path: '/products', method: 'GET', headers: { 'x-forwarded-for': address } })
    .then(async (answer) => answer.body.dump().then(() => answer.statusCode))
    .catch(() => 0);
  return { sentMs, answeredMs: performance.now(), status };
}

async function askGreedily(pool: Pool, address: string, isOver: () => boolean): Promise<Asked[]> {
  const asked: Asked[] = [];
  const one = async (): Promise<void> => {
    while (!isOver()) {
      asked.push(await ask(pool, address));
      await sleep(greedyPauseMs);
    }
  };
  await Promise.all(Array.from({ length: greedyAtOnce }, one));
  return asked;
}

async function askModestly(pool: Pool, address: string, { limit, periodMs }: Window, isOver: () => boolean): Promise<Asked[]> {
  const asked: Promise<Asked>[] = [];
  const everyMs = periodMs / (limit * modesty);
  while (!isOver()) {
    asked.push(ask(pool, address));
    // From its answer on: a late timer must not make two come together.
    await Promise.all([sleep(everyMs), asked.at(-1)]);
  }
  return Promise.all(asked);
}

/** @returns how often Redis fell silent; it answers again when this is over */
async function flap({ redis, fault, flapMs, forMs, onProgress }: CampaignOptions, isOver: () => boolean): Promise<number> {
  let [current, faults] = [redis, 0];
  while (!isOver()) {
    onProgress?.(Math.max(0, forMs - 2 * flapMs * faults));
    await sleep(flapMs);
    if (!current || fault === 'none' || isOver()) continue;
    faults += 1;
    const isKilled = fault === 'killed' || (fault === 'both' && faults % 2 === 0);
    if (isKilled) await current.stop();
    else current.freeze();
    await sleep(flapMs);
    if (isKilled) current = await startRedis(current.port);
    else current.thaw();
  }
  if (current !== redis) await current?.stop();
  return faults;
}
