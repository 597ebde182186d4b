import type { Declared } from '#loadtest/conformance/exchange.ts';
import {
  fixedWindows,
  tokenBucket,
  counterPerWorker,
  skewedClocks,
  refusalsCounted,
  staleReads,
  collapsingMembers,
  neverExpires,
  off,
  longer,
} from './other-limiters.ts';
import { draftFields, exact, keyOf, quotaExceeded, seconds, slidingLog, type Parts } from './simulated-api.ts';

/** A defect, and the check that must name it. One list of them, so it is long. */
export type Flaw = { readonly named: string; readonly parts: Partial<Parts>; readonly declared?: Partial<Declared> };

/** What the other path is asked for goes into the same log a second time, for its own limit. */
const countedTwice: Partial<Parts> = {
  keyOf: (request) => `${keyOf(request)}${request.path.startsWith('/others') ? ' twice' : ''}`,
  limiter: (declared) => {
    const log = slidingLog(declared);
    return (key, atMs) => {
      if (key.endsWith(' twice')) log(key.replace(' twice', ''), atMs);
      return log(key.replace(' twice', ''), atMs);
    };
  },
};

/** The right fields, with some replaced; undefined takes one away. */
const told =
  (
    change: (fields: Readonly<Record<string, string>>, resetMs: number, isAllowed: boolean) => Readonly<Record<string, string | undefined>>,
  ) =>
  (...[decision, declared, request]: Parameters<Parts['fields']>): Readonly<Record<string, string>> => {
    const fields = draftFields(decision, declared, request);
    const changed = { ...fields, ...change(fields, decision.resetMs, decision.isAllowed) };
    return Object.fromEntries(Object.entries(changed).filter((entry): entry is [string, string] => entry[1] !== undefined));
  };

const retry = (value: (resetMs: number) => string | undefined): Partial<Parts> => ({
  fields: told((_, resetMs, isAllowed) => (isAllowed ? {} : { 'retry-after': value(resetMs) })),
});

const policy = (value: string): Partial<Parts> => ({ fields: told(() => ({ 'ratelimit-policy': value })) });
const rateLimit = (change: (value: string) => string): Partial<Parts> => ({
  fields: told(({ ratelimit = '' }) => ({ ratelimit: change(ratelimit) })),
});

const refusal = (change: Readonly<Record<string, unknown>>, status = 429): Partial<Parts> => ({
  refusal: (decision, declared) => {
    const right = exact.refusal(decision, declared);
    return { ...right, status, body: { ...(right.body as object), ...change } };
  },
});

let changes = 0;

/** Every defect a limiter is known to have had, and some that are only thinkable. */
export const flaws: Readonly<Record<string, Flaw>> = {
  'one more than the limit': { named: 'count-in-turn', parts: { limiter: off(1) } },
  'one less than the limit': { named: 'count-in-turn', parts: { limiter: off(-1) } },
  'GET, then INCR': { named: 'count-at-once', parts: { limiter: staleReads } },
  'two requests of one moment are one': { named: 'count-at-once', parts: { limiter: collapsingMembers } },
  'a counter in each worker': { named: 'count-at-once', parts: { limiter: counterPerWorker } },
  'workers with skewed clocks': { named: 'count-at-once', parts: { limiter: skewedClocks } },
  'fixed windows from the first request': { named: 'boundary', parts: { limiter: fixedWindows('first') } },
  'fixed windows of the clock': { named: 'boundary', parts: { limiter: fixedWindows('clock') } },
  'token bucket': { named: 'boundary', parts: { limiter: tokenBucket } },
  'a count without an expiry': { named: 'quota-returns', parts: { limiter: neverExpires } },
  'a period that is longer than told': { named: 'steady-use', parts: { limiter: longer(1.5) } },
  'a period that is shorter than told': { named: 'boundary', parts: { limiter: longer(0.7) } },
  'refusals are counted': { named: 'refusals-free', parts: { limiter: refusalsCounted } },
  'Retry-After is rounded down': { named: 'retry-after-honest', parts: retry((ms) => `${Math.max(1, Math.floor(ms / 1_000))}`) },
  'Retry-After may be 0': { named: 'retry-after-least', parts: retry((ms) => `${Math.floor(ms / 1_000)}`) },
  'Retry-After in milliseconds': { named: 'retry-after-bounds', parts: retry((ms) => `${Math.ceil(ms)}`) },
  'Retry-After with decimals': { named: 'retry-after-syntax', parts: retry((ms) => `${ms / 1_000}`) },
  'Retry-After is always a whole period': { named: 'retry-after-tight', parts: retry(() => '2') },
  'Retry-After is two seconds too long': { named: 'retry-after-tight', parts: retry((ms) => `${seconds(ms) + 2}`) },
  'Retry-After before the end of t': { named: 'retry-after-covers-t', parts: retry((ms) => `${Math.max(1, seconds(ms) - 1)}`) },
  'Retry-After only now and then': { named: 'retry-after-sent', parts: retry((ms) => (ms % 2 < 1 ? undefined : `${seconds(ms)}`)) },
  'what is left counts the request itself': {
    named: 'remaining-steps',
    parts: rateLimit((value) => value.replace(/r=(\d+)/, (_, left: string) => `r=${Number(left) + 1}`)),
  },
  'what is left is stuck at 0 from the last but one': {
    named: 'remaining-zero',
    parts: rateLimit((value) => value.replace(/r=1\b/, 'r=0')),
  },
  't is rounded down': {
    named: 'reset-honest',
    parts: rateLimit((value) => value.replace(/t=(\d+)/, (_, t: string) => `t=${Math.max(1, Number(t) - 1)}`)),
  },
  't is the moment of the reset': { named: 'reset-bounds', parts: rateLimit((value) => value.replace(/t=\d+/, 't=1790000000')) },
  'X-RateLimit-Remaining lags behind': {
    named: 'older-fields-agree',
    parts: { fields: told((fields) => ({ 'x-ratelimit-remaining': `${Number(fields['x-ratelimit-remaining']) + 1}` })) },
  },
  'a policy that is a Token': { named: 'policy-list', parts: policy('default;q=10;w=2') },
  'a policy without q': { named: 'policy-parameters', parts: policy('"default";w=2') },
  'a policy with a decimal window': { named: 'policy-parameters', parts: policy('"default";q=10;w=2.5') },
  'a policy with another quota': { named: 'policy-true', parts: policy('"default";q=1000;w=2') },
  'a policy that changes': {
    named: 'policy-constant',
    parts: { fields: told(({ 'ratelimit-policy': value }) => ({ 'ratelimit-policy': `${value};n=${(changes += 1)}` })) },
  },
  'RateLimit as of draft 07': {
    named: 'limit-list',
    parts: rateLimit((value) => `limit=10, remaining=${/r=(\d+)/.exec(value)?.[1]}, reset=2`),
  },
  'RateLimit with a String for r': { named: 'limit-parameters', parts: rateLimit((value) => value.replace(/r=(\d+)/, 'r="$1"')) },
  'RateLimit of a policy nobody named': { named: 'limit-names-policy', parts: rateLimit((value) => value.replace('default', 'other')) },
  'RateLimit on some refusals': {
    named: 'limit-on-refusals',
    parts: { fields: told(({ ratelimit }, resetMs, isAllowed) => ({ ratelimit: isAllowed || resetMs % 2 < 1 ? ratelimit : undefined })) },
  },
  'refusals with 403': { named: 'refusal-status', parts: refusal({ status: 403 }, 403) },
  'a problem document that names another status': { named: 'problem-document', parts: refusal({ status: 400 }) },
  'a problem type of its own beside violated-policies': { named: 'problem-type', parts: refusal({ type: '/problems/rate_limited' }) },
  violated_policies: {
    named: 'problem-violated-policies',
    parts: refusal({ 'violated-policies': undefined, violated_policies: ['default'], type: quotaExceeded }),
  },
  'violated-policies that nobody named': { named: 'problem-violated-policies', parts: refusal({ 'violated-policies': ['quota'] }) },
  'a refusal that is dearer than an answer': { named: 'denial-cheap', parts: { refusalMs: 40 } },
  'one quota for everybody': { named: 'clients-isolated', parts: { keyOf: () => 'all' } },
  'one quota for an address': { named: 'clients-share-no-address', parts: { keyOf: () => 'address' } },
  'X-Forwarded-For is believed from anybody': {
    named: 'forged-address',
    parts: { keyOf: (request) => request.variation.headers?.['X-Forwarded-For'] ?? keyOf(request) },
  },
  'X-Real-IP is believed from anybody': {
    named: 'forged-address',
    parts: { keyOf: (request) => request.variation.headers?.['X-Real-IP'] ?? keyOf(request) },
  },
  'each IPv6 address is another client': {
    named: 'ipv6-network',
    declared: { identity: 'ip' },
    parts: { keyOf: ({ client, variation }) => variation.headers?.['X-Forwarded-For'] ?? `client ${client}` },
  },
  'the first hop of X-Forwarded-For is believed': {
    named: 'forged-hop',
    declared: { identity: 'ip' },
    parts: { keyOf: (request) => request.variation.headers?.['X-Forwarded-For']?.split(',')[0] ?? keyOf(request) },
  },
  'guesses are not counted': {
    named: 'guesses-limited',
    declared: { identity: 'ip', promises: 'all' },
    parts: { isCounted: ({ variation }) => variation.headers?.['Authorization'] === undefined },
  },
  'a path with another limit besides is counted twice': {
    named: 'sibling-apart',
    declared: { sibling: '/others?of=another' },
    parts: countedTwice,
  },
  'RateLimit on no refusal, though it is promised': {
    named: 'limit-on-refusals',
    declared: { promises: 'all' },
    parts: { fields: told(({ ratelimit }, _, isAllowed) => ({ ratelimit: isAllowed ? ratelimit : undefined })) },
  },
  'no Retry-After, though it is promised': { named: 'retry-after-sent', declared: { promises: 'all' }, parts: retry(() => undefined) },
  'all of IPv6 is one client': {
    named: 'ipv6-network',
    declared: { identity: 'ip' },
    parts: { keyOf: (request) => (request.variation.headers?.['X-Forwarded-For']?.includes(':') ? 'IPv6' : keyOf(request)) },
  },
  'the name of the field is compared letter by letter': {
    named: 'field-name-case',
    parts: { keyOf: (request) => `${keyOf(request)} ${request.variation.spelling?.('X-Client') === 'X-CLIENT' ? 'capitals' : ''}` },
  },
  'the query is part of the key': { named: 'query-no-bypass', parts: { keyOf: (request) => `${keyOf(request)} ${request.path}` } },
  'HEAD is not counted': { named: 'head-as-get', parts: { isCounted: ({ method }) => method !== 'HEAD' } },
  'OPTIONS is counted now and then': {
    named: 'options-consistent',
    parts: { isCounted: ({ method }) => method !== 'OPTIONS' || (changes += 1) % 2 === 0 },
  },
  'missing paths tell a quota they do not take from': {
    named: 'not-found-consistent',
    parts: {
      keyOf: (request) => (request.path.includes('missing') || request.path.includes('no-such') ? `404 ${request.client}` : keyOf(request)),
    },
  },
  'two are told the same to be left': {
    named: 'remaining-at-once',
    parts: rateLimit((value) => value.replace(/r=(\d+)/, (_, left: string) => `r=${Number(left) - (Number(left) % 2)}`)),
  },
  'refusals are 500': { named: 'no-server-error', parts: refusal({ status: 500 }, 500) },
  'refusals take 20 s': { named: 'no-hang', parts: { refusalMs: 20_000 } },
  't ends before a place is free': {
    named: 'obedient-never-refused',
    parts: rateLimit((value) => value.replace(/t=(\d+)/, (_, t: string) => `t=${Math.max(1, Number(t) - 1)}`)),
  },
  't is three seconds too long': {
    named: 'obedient-uses-quota',
    parts: rateLimit((value) => value.replace(/t=(\d+)/, (_, t: string) => `t=${Number(t) + 3}`)),
  },
  'a frozen store is waited for': { named: 'store-frozen-prompt', parts: { withoutStore: 'slow' } },
  'a dead store is waited for': { named: 'store-killed-prompt', parts: { withoutStore: 'slow' } },
  'once its store was away everything is allowed': { named: 'store-back-exact', parts: { withoutStore: 'open-for-ever' } },
  'without its store everything is allowed': { named: 'store-frozen-limits', parts: { withoutStore: 'open' } },
  'without its store everything is refused': { named: 'store-killed-limits', parts: { withoutStore: 'closed' } },
  'without its store every answer is 500': { named: 'store-killed-answers', parts: { withoutStore: 'error' } },
  'without its store nothing is answered': { named: 'store-frozen-answers', parts: { withoutStore: 'hang' } },
};
