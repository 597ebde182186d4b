import { createHmac, createSecretKey, hkdfSync } from 'node:crypto';
import type { Limiter, Verdict } from '../limiter/limiter.ts';
import { ApiError } from '../errors.ts';
import type { ApiContext, ApiMiddleware, Exchange } from './exchange.ts';
import {
  knownAddressPolicy,
  policySet,
  quotasOf,
  targetPolicies,
  type Caller,
  type Policy,
  type PolicySet,
  type RatePolicy,
  type Taken,
} from './rate-policy.ts';
import { addressKey } from './trusted-proxies.ts';

export type RateLimitDeps = {
  readonly limiter: Limiter;
  readonly policy: RatePolicy;
  /** Hides what is aimed at, such as an e-mail address, from whoever sees the keys of the limiter. */
  readonly secret: string;
  readonly onLimited: (policyName: string) => void;
  /** Whether the owner of an account has logged in from an address, as `addressKey` has it, before. */
  readonly isKnownAddress: (email: string, address: string) => Promise<boolean>;
};

/** Counts a request as its caller's, once however often it is asked to. @throws {ApiError} */
export type Count = (ctx: ApiContext, caller: Caller) => Promise<void>;

export type RateLimit = {
  readonly count: Count;
  /** Counts the request by its address or principal, unless that has been done to learn who it is. */
  readonly middleware: ApiMiddleware;
  /** Counts the request once more, by what it aims at: for a login the account, whoever tries. @throws {ApiError} */
  readonly countTarget: (ctx: ApiContext, target: string) => Promise<void>;
};

/** For a process that limits nobody. */
export const noRateLimit: RateLimit = {
  count: () => Promise.resolve(),
  middleware: (_ctx, next) => next(),
  countTarget: () => Promise.resolve(),
};

/**
 * Counts every request against the caller's limits and tells what is left of them.
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ (RateLimit, RateLimit-Policy)
 */
export function createRateLimit({ limiter, policy, secret, onLimited, isKnownAddress }: RateLimitDeps): RateLimit {
  const targetKey = createSecretKey(Buffer.from(hkdfSync('sha256', secret, '', 'rate limit target', 32)));
  const hide = (text: string): string => createHmac('sha256', targetKey).update(text).digest('base64url');
  const settle = (state: Exchange, taken: Taken, countedAs = state.countedAs): void => {
    state.countedAs = countedAs;
    const binding = bindingIndex(taken.verdicts);
    tell(state, rateLimitHeaders(taken.set, taken.verdicts, binding));
    state.taken = taken;
    const [hit, verdict] = [taken.set.policies[binding] as Policy, taken.verdicts[binding] as Verdict];
    if (verdict.allowed) return;
    onLimited(hit.name);
    if (state.route?.limitClass === 'login') state.note('login_throttled');
    if (state.route?.limitClass === 'password_reset') state.note('reset_throttled');
    throw limited(hit, verdict);
  };
  const count: Count = ({ state }, caller) => {
    const { set, identity } = policy.countedAs(caller, state.ip, state.route?.limitClass ?? 'default');
    if (state.countedAs === identity && state.taken?.set === set) return Promise.resolve();
    return limiter.take(quotasOf(set, identity)).then((verdicts) => settle(state, { set, verdicts }, identity));
  };
  return {
    count,
    middleware: (ctx, goOn) => count(ctx, ctx.state.principal).then(goOn),
    countTarget: async ({ state }, target) => {
      const limitClass = state.route?.limitClass ?? 'default';
      const ofAll = targetPolicies[limitClass];
      if (!ofAll) return;
      state.aimedAt = hide(target);
      const address = addressKey(state.ip);
      const isKnown = limitClass === 'login' && (await isKnownAddress(target, address));
      const [aimedAt, counted] = isKnown ? [knownAddressPolicy, hide(`${target} ${address}`)] : [ofAll, state.aimedAt];
      const verdicts = await limiter.take(quotasOf({ policies: [aimedAt] }, counted));
      const before = state.taken ?? nothingTaken;
      settle(state, { set: policySet([...before.set.policies, aimedAt]), verdicts: [...before.verdicts, ...verdicts] });
    },
  };
}

const nothingTaken: Taken = { set: policySet([]), verdicts: [] };

/** The limit that decides: of those used up the one that lasts longest, else the one with the least left. Pure. */
export function bindingIndex(verdicts: readonly Verdict[]): number {
  let binding = 0;
  for (let index = 1; index < verdicts.length; index += 1) {
    const [best, other] = [verdicts[binding] as Verdict, verdicts[index] as Verdict];
    const isStricter = best.allowed === other.allowed ? other.remaining < best.remaining : best.allowed;
    const lastsLonger = !best.allowed && !other.allowed && other.retryAfterMs > best.retryAfterMs;
    if (isStricter || lastsLonger) binding = index;
  }
  return binding;
}

/** Seconds, rounded up: who waits this long finds the place free. */
const wholeSeconds = (ms: number): number => Math.ceil(ms / 1000);

/** Names and values in turn. `t` and X-RateLimit-Reset: seconds until a place becomes free. */
export function rateLimitHeaders(set: PolicySet, verdicts: readonly Verdict[], binding: number): string[] {
  const { remaining, allowed, resetMs, retryAfterMs } = verdicts[binding] as Verdict;
  const left = verdicts.map((verdict, index) => {
    const waitMs = verdict.allowed ? verdict.resetMs : verdict.retryAfterMs;
    return `"${(set.policies[index] as Policy).name}";r=${verdict.remaining};t=${wholeSeconds(waitMs)}`;
  });
  return [
    'X-RateLimit-Limit',
    String((set.policies[binding] as Policy).limit),
    'X-RateLimit-Remaining',
    String(remaining),
    'X-RateLimit-Reset',
    String(wholeSeconds(allowed ? resetMs : retryAfterMs)),
    'RateLimit-Policy',
    set.header,
    'RateLimit',
    left.join(', '),
  ];
}

/** Puts the headers into the answer, in the place of those of an earlier count. */
function tell({ headers }: Exchange, told: readonly string[]): void {
  const at = headers.indexOf('X-RateLimit-Limit');
  if (at < 0) headers.push(...told);
  else headers.splice(at, told.length, ...told);
}

function limited(policy: Policy, verdict: Verdict): ApiError {
  const seconds = Math.max(1, wholeSeconds(verdict.retryAfterMs));
  const detail = `The limit of ${policy.limit} requests in ${policy.periodMs / 1000} s is used up; ask again in ${seconds} s.`;
  return new ApiError('rate_limited', detail, {
    headers: { 'Retry-After': String(seconds) },
    extensions: { retry_after: seconds, 'violated-policies': [policy.name] },
  });
}
