import { setTimeout as sleep } from 'node:timers/promises';
import type { Defect, Seed } from '../defect.ts';
import { onAnswer } from '../tampering.ts';

/** Rate limits that are wrong: the count, what is told of it, who is counted as whom, a store that dies. A list, so it is as long as it is. */

const inMemory = (find: string, put: string): Seed => ({ file: 'api/limiter/sliding-window.ts', find, put });
const inRedis = (find: string, put: string): Seed => ({ file: 'api/limiter/redis-limiter.ts', find, put });
const told = (find: string, put: string): Seed => ({ file: 'api/http/rate-limit.ts', find, put });
const asWhom = (find: string, put: string): Seed => ({ file: 'api/http/rate-policy.ts', find, put });
const address = (find: string, put: string): Seed => ({ file: 'api/http/trusted-proxies.ts', find, put });
const stores = (find: string, put: string): Seed => ({ file: 'api/limiter/create-limiter.ts', find, put });

const tell = 'tell(state, rateLimitHeaders(taken.set, taken.verdicts, binding));';
const tellWhen = (condition: string): Seed => told(tell, `if (taken.verdicts[binding]?.allowed ${condition}) ${tell}`);

const count: readonly Defect[] = [
  {
    name: 'limit-and-one',
    kind: 'count',
    says: 'one request more than the limit is allowed',
    expects: /count-/,
    part: 'address',
    seed: inMemory('times.size < (quotas[index] as Quota).limit', 'times.size <= (quotas[index] as Quota).limit'),
  },
  {
    name: 'limit-less-one',
    kind: 'count',
    says: 'one request less than the limit is allowed',
    expects: /count-/,
    part: 'redis',
    seed: inRedis('if counts[q] >= limit then', 'if counts[q] >= limit - 1 then'),
  },
  {
    name: 'window-fixed',
    kind: 'count',
    says: 'a window begins with the first request and forgets all at its end',
    expects: /boundary/,
    part: 'address',
    seed: inMemory(
      'times.dropUntil(nowMs - quota.periodMs);',
      'if (times.size > 0 && times.at(0) <= nowMs - quota.periodMs) times.dropUntil(nowMs);',
    ),
  },
  {
    name: 'counted-by-worker',
    kind: 'count',
    says: 'each worker counts for itself',
    expects: /count-at-once/,
    part: 'address',
    seed: stores('first: primary,', 'first: createLocalLimiter(),'),
  },
  {
    name: 'counted-by-worker-in-redis',
    kind: 'count',
    says: 'each worker has keys of its own in Redis',
    expects: /count-at-once/,
    part: 'redis',
    seed: inRedis('`atalaya:limit:${key}`', '`atalaya:limit:${process.pid}:${key}`'),
  },
  {
    name: 'clocks-of-workers',
    kind: 'count',
    says: 'requests are counted in Redis at times of the workers, whose clocks differ by seconds',
    expects: /count-at-once/,
    part: 'redis',
    seed: inRedis(
      'local now = time[1] * 1000000 + time[2]',
      'local now = time[1] * 1000000 + time[2] + (string.byte(ARGV[1], 1) * 31 + string.byte(ARGV[1], 2)) % 61 * 1000000',
    ),
  },
  {
    name: 'refusals-counted',
    kind: 'count',
    says: 'refused requests are taken off the quota, and Retry-After does not know it',
    expects: /refusals-free/,
    part: 'address',
    seed: inMemory(
      'return allAllow && isOthers(quota) ? noOpinion(quota) : verdictOf(times, quota, allAllow, nowMs);',
      `const verdict = verdictOf(times, quota, allAllow, nowMs);
        if (!allAllow) times.push(nowMs);
        return verdict;`,
    ),
  },
  {
    name: 'head-is-free',
    kind: 'count',
    says: 'HEAD is not counted',
    expects: /head-as-get/,
    part: 'address',
    seed: told(
      'count(ctx, ctx.state.principal).then(goOn)',
      "(ctx.req.method === 'HEAD' ? Promise.resolve() : count(ctx, ctx.state.principal)).then(goOn)",
    ),
  },
  {
    name: 'classes-share-a-count',
    kind: 'count',
    says: 'the limits of all classes of routes are counted under one key',
    expects: /sibling-apart/,
    part: 'address',
    seed: asWhom('key: `${name}:${identity}`', 'key: identity'),
  },
];

const fields: readonly Defect[] = [
  {
    name: 'retry-after-rounded-down',
    kind: 'headers',
    says: 'Retry-After is rounded down',
    expects: /retry-after-(honest|covers-t)/,
    part: 'address',
    seed: told('Math.max(1, wholeSeconds(verdict.retryAfterMs))', 'Math.max(1, Math.floor(verdict.retryAfterMs / 1000))'),
  },
  {
    name: 'retry-after-in-ms',
    kind: 'headers',
    says: 'Retry-After is told in milliseconds',
    expects: /retry-after-bounds/,
    part: 'address',
    seed: told("'Retry-After': String(seconds)", "'Retry-After': String(verdict.retryAfterMs)"),
  },
  {
    name: 'retry-after-missing',
    kind: 'headers',
    says: 'refusals carry no Retry-After',
    expects: /retry-after-sent/,
    part: 'address',
    seed: told("headers: { 'Retry-After': String(seconds) },", ''),
  },
  {
    name: 'reset-rounded-down',
    kind: 'headers',
    says: 't of RateLimit is rounded down',
    expects: /reset-honest|obedient-never-refused/,
    part: 'address',
    seed: told(';t=${wholeSeconds(waitMs)}`', ';t=${Math.max(1, Math.floor(waitMs / 1000))}`'),
  },
  {
    name: 'older-reset-in-ms',
    kind: 'headers',
    says: 'X-RateLimit-Reset is told in milliseconds',
    expects: /older-fields-agree/,
    part: 'address',
    seed: told('String(wholeSeconds(allowed ? resetMs : retryAfterMs))', 'String(allowed ? resetMs : retryAfterMs)'),
  },
  {
    name: 'remaining-negative',
    kind: 'headers',
    says: 'what is left counts the next request already, and ends at −1',
    expects: /limit-parameters|remaining-/,
    part: 'address',
    seed: told(';r=${verdict.remaining};', ';r=${verdict.remaining - 1};'),
  },
  {
    name: 'fields-missing-on-refusals',
    kind: 'headers',
    says: 'refusals carry no RateLimit fields',
    expects: /limit-on-refusals/,
    part: 'address',
    seed: tellWhen(''),
  },
  {
    name: 'fields-on-refusals-only',
    kind: 'headers',
    says: 'answers that are no refusals carry no RateLimit fields',
    expects: /remaining-steps/,
    part: 'address',
    seed: tellWhen('=== false'),
  },
  {
    name: 'policy-unnamed',
    kind: 'headers',
    says: 'the problem document does not name the policy that is used up',
    expects: /problem-violated-policies/,
    part: 'address',
    seed: told("'violated-policies': [policy.name]", ''),
  },
  {
    name: 'refusals-slow',
    kind: 'headers',
    says: 'a refusal takes 40 ms longer than an answer',
    expects: /denial-cheap/,
    part: 'address',
    seed: { tamper: () => onAnswer(async ({ status }) => status === 429 && (await sleep(40))) },
  },
];

const identity: readonly Defect[] = [
  {
    name: 'forwarded-for-believed',
    kind: 'identity',
    says: 'X-Forwarded-For is believed from anybody',
    expects: /forged-address/,
    part: 'address',
    seed: address("return (address) => list.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');", 'return () => true;'),
  },
  {
    name: 'forwarded-for-from-the-left',
    kind: 'identity',
    says: 'of X-Forwarded-For the first address is taken, which the client itself wrote',
    expects: /forged-hop/,
    part: 'address',
    seed: address('hops.pop()', 'hops.shift()'),
  },
  {
    name: 'ipv6-by-address',
    kind: 'identity',
    says: 'each address of an IPv6 /64 has a quota of its own',
    expects: /ipv6-network/,
    part: 'address',
    seed: address('groups.slice(0, 4)', 'groups.slice(0, 8)'),
  },
  {
    name: 'customers-by-address',
    kind: 'identity',
    says: 'customers behind one address share a quota',
    expects: /clients-share-no-address/,
    part: 'customer',
    seed: asWhom('identity: principalKey(principal) ?? addressKey(address)', 'identity: addressKey(address)'),
  },
  {
    name: 'guesses-free',
    kind: 'identity',
    says: 'a credential that proves nothing is refused before it is counted',
    expects: /guesses-limited/,
    part: 'address',
    seed: {
      file: 'api/http/authenticate.ts',
      find: 'ctx.state.credentialRefusal = refusal(`The ${name}',
      put: 'throw refusal(`The ${name}',
    },
  },
];

const store: readonly Defect[] = [
  {
    name: 'fallback-open',
    kind: 'store',
    says: 'while Redis is away everything is allowed',
    expects: /store-.*-limits/,
    part: 'redis',
    seed: stores(
      'second: onMachine,',
      'second: { take: async (quotas) => quotas.map(({ limit }) => ({ allowed: true, remaining: limit, retryAfterMs: 0, resetMs: 0 })) },',
    ),
  },
  {
    name: 'fallback-waits',
    kind: 'store',
    says: 'a Redis that hangs is waited for until its connection breaks',
    expects: /store-frozen-(prompt|answers)/,
    part: 'redis',
    seed: stores('const redisTimeoutMs = 80;', 'const redisTimeoutMs = 60_000;'),
  },
  {
    name: 'fallback-missing',
    kind: 'store',
    says: 'without Redis requests end in 500',
    expects: /store-.*-answers/,
    part: 'redis',
    seed: {
      file: 'api/limiter/fallback-limiter.ts',
      find: 'fallBack(err);\n        return second.take(lastCounts.recall(quotas));',
      put: 'throw err;',
    },
  },
];

export const limiters: readonly Defect[] = [...count, ...fields, ...identity, ...store];
