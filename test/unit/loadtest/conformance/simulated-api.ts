import type { Answer, Declared } from '#loadtest/conformance/exchange.ts';
import type { Means, Store, Variation } from '#loadtest/conformance/matter.ts';
import type { Port } from '#loadtest/conformance/suite.ts';
import { createVirtualTime, type VirtualTime } from './virtual-time.ts';

/** What a limiter says of one request. */
export type Decision = { readonly isAllowed: boolean; readonly remaining: number; readonly resetMs: number };

/** Counts one request of a key at a moment. */
export type Limiter = (key: string, atMs: number) => Decision;

export type Request = {
  readonly client: number;
  readonly method: string;
  readonly path: string;
  readonly variation: Variation;
};

/** An API with a limiter, part by part, so that a defect replaces one part. All that is not replaced is right. */
export type Parts = {
  readonly limiter: (declared: Declared) => Limiter;
  readonly keyOf: (request: Request, declared: Declared) => string;
  /** False: the request is served without being counted. */
  readonly isCounted: (request: Request) => boolean;
  readonly fields: (decision: Decision, declared: Declared, request: Request) => Readonly<Record<string, string>>;
  readonly refusal: (decision: Decision, declared: Declared) => { readonly status: number; readonly body: unknown; readonly type: string };
  /** Milliseconds the limiter takes between reading and writing its count. */
  readonly raceMs: number;
  readonly refusalMs: number;
  /** What happens to requests while the store is away. */
  readonly withoutStore: 'local' | 'slow' | 'open' | 'open-for-ever' | 'closed' | 'hang' | 'error';
};

export const seconds = (ms: number): number => Math.ceil(ms / 1_000);

const timeoutMs = 10_000;

/** A sliding log: exact. */
export const slidingLog = ({ limit, periodMs }: Declared): Limiter => {
  const logs = new Map<string, number[]>();
  return (key, atMs) => {
    const log = (logs.get(key) ?? []).filter((one) => one > atMs - periodMs);
    logs.set(key, log);
    const isAllowed = log.length < limit;
    if (isAllowed) log.push(atMs);
    return { isAllowed, remaining: limit - log.length, resetMs: log.length === 0 ? 0 : (log[0] ?? 0) + periodMs - atMs };
  };
};

const isNetwork = (value: string): boolean => value.includes(':');

/** By client; where a trusted proxy asks by the address it added to X-Forwarded-For, IPv6 by its first four groups. */
export function keyOf({ client, variation }: Request): string {
  const forwarded = variation.from === undefined ? undefined : variation.headers?.['X-Forwarded-For']?.split(',').at(-1)?.trim();
  if (forwarded === undefined) return `client ${client}`;
  return isNetwork(forwarded) ? (forwarded.split('::')[0] ?? '').split(':').slice(0, 4).join(':') : forwarded;
}

export const draftFields: Parts['fields'] = ({ isAllowed, remaining, resetMs }, { limit, periodMs }) => ({
  'ratelimit-policy': `"default";q=${limit};w=${periodMs / 1_000}`,
  ratelimit: `"default";r=${remaining};t=${seconds(resetMs)}`,
  'x-ratelimit-limit': `${limit}`,
  'x-ratelimit-remaining': `${remaining}`,
  'x-ratelimit-reset': `${seconds(resetMs)}`,
  ...(isAllowed ? {} : { 'retry-after': `${Math.max(1, seconds(resetMs))}` }),
});

export const quotaExceeded = 'https://iana.org/assignments/http-problem-types#quota-exceeded';

export const exact: Parts = {
  limiter: slidingLog,
  keyOf,
  isCounted: () => true,
  fields: draftFields,
  refusal: () => ({
    status: 429,
    type: 'application/problem+json',
    body: { type: quotaExceeded, title: 'Too many requests', status: 429, 'violated-policies': ['default'] },
  }),
  raceMs: 0,
  refusalMs: 0,
  withoutStore: 'local',
};

export type Simulation = { readonly port: Port; readonly means: Means; readonly time: VirtualTime };

/**
 * @param seed of the times that requests take on their way
 * @param late the most the client itself is late, by chance: in sending, in waking up and in reading an answer
 */
export function simulate(parts: Parts, declared: Declared, seed: number, means: Partial<Means> = {}, late = 0): Simulation {
  const time = createVirtualTime();
  const random = randomFrom(seed);
  const onTheWay = (): Promise<void> => time.waitUntil(time.now() + 0.2 + 1.8 * random());
  const beLate = (): number => (random() < 0.2 ? late * random() : 0);
  const store = { isAway: false, wasAway: false };
  const limiter = parts.limiter(declared);
  const decide = async (request: Request): Promise<Answer | undefined> => {
    if (store.isAway || (store.wasAway && parts.withoutStore === 'open-for-ever')) {
      if (parts.withoutStore === 'slow') await time.waitUntil(time.now() + 1_500);
      else if (parts.withoutStore !== 'local') return withoutStore(parts.withoutStore);
    }
    if (!parts.isCounted(request)) return { status: 200, fields: {}, body: '' };
    const decision = await counted(limiter, parts, parts.keyOf(request, declared), time);
    if (!decision.isAllowed) await time.waitUntil(time.now() + parts.refusalMs);
    return answerTo(request, decision, parts, declared);
  };
  return {
    time,
    means: { clients: Infinity, trustedProxy: undefined, store: storeOf(store), obedientRequests: 8 * declared.limit, ...means },
    port: {
      now: time.now,
      waitUntil: (atMs) => time.waitUntil(Math.max(atMs, time.now()) + beLate()),
      send: async (client, variation) => {
        const sentMs = time.now();
        const { method = declared.method, path = declared.path } = variation;
        const lateBefore = beLate();
        await time.waitUntil(sentMs + lateBefore);
        await onTheWay();
        const decided = await decide({ client, method, path, variation });
        const answer = time.now() - sentMs < timeoutMs ? decided : undefined;
        if (answer === undefined) await time.waitUntil(sentMs + timeoutMs);
        else await onTheWay();
        const lateAfter = beLate();
        await time.waitUntil(time.now() + lateAfter);
        const failure = answer === undefined ? ({ kind: 'timeout', detail: 'no answer in 10 s' } as const) : undefined;
        return { sentMs, endedMs: time.now(), lateMs: Math.max(lateBefore, lateAfter), answer, failure };
      },
    },
  };
}

function withoutStore(mode: Exclude<Parts['withoutStore'], 'local' | 'slow'>): Answer | undefined {
  const statuses = { open: 200, 'open-for-ever': 200, closed: 429, error: 500 };
  return mode === 'hang' ? undefined : { status: statuses[mode], fields: {}, body: '' };
}

/** With a race, what is read is written back only later: those who read meanwhile do not see it. */
async function counted(limiter: Limiter, { raceMs }: Parts, key: string, time: VirtualTime): Promise<Decision> {
  if (raceMs === 0) return limiter(key, time.now());
  const peeked = limiter(`${key} `, time.now());
  await time.waitUntil(time.now() + raceMs);
  return peeked;
}

function answerTo(request: Request, decision: Decision, parts: Parts, declared: Declared): Answer {
  const fields = parts.fields(decision, declared, request);
  if (!decision.isAllowed) {
    const { status, body, type } = parts.refusal(decision, declared);
    return { status, fields: { ...fields, 'content-type': type }, body: typeof body === 'string' ? body : JSON.stringify(body) };
  }
  return { status: request.path === declared.path || request.path.includes('?') ? 200 : 404, fields, body: '' };
}

function storeOf(state: { isAway: boolean; wasAway: boolean }): Store {
  const leave = (): void => void (state.isAway = state.wasAway = true);
  const back = (): void => void (state.isAway = false);
  return { name: 'simulated', freeze: leave, thaw: back, kill: async () => leave(), restart: async () => back() };
}

/** Numbers in [0, 1), the same for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
