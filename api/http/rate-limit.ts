import type { Limiter, Verdict } from '../limiter/limiter.ts';
import type { ApiMiddleware } from './exchange.ts';
import { ApiError } from '../errors.ts';
import { quotasOf, rateIdentity, type Policy, type PolicySet, type RatePolicy } from './rate-policy.ts';

export type RateLimitDeps = {
  readonly limiter: Limiter;
  readonly policy: RatePolicy;
  readonly onLimited: (policyName: string) => void;
};

/**
 * Counts every request against the caller's limits and tells what is left of them.
 * @see https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ (RateLimit, RateLimit-Policy)
 */
export function rateLimit({ limiter, policy, onLimited }: RateLimitDeps): ApiMiddleware {
  return async (ctx, next) => {
    const { state } = ctx;
    const set = policy.policiesFor(state.principal, state.route?.limitClass ?? 'default');
    const verdicts = await limiter.take(quotasOf(set, rateIdentity(state.principal, state.ip)));
    const binding = bindingIndex(verdicts);
    const verdict = verdicts[binding] as Verdict;
    const policyHit = set.policies[binding] as Policy;
    state.headers.push(...rateLimitHeaders(set, verdicts, binding));
    if (verdict.allowed) return next();
    onLimited(policyHit.name);
    throw limited(policyHit, verdict);
  };
}

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

function limited(policy: Policy, verdict: Verdict): ApiError {
  const seconds = Math.max(1, wholeSeconds(verdict.retryAfterMs));
  const detail = `The limit of ${policy.limit} requests in ${policy.periodMs / 1000} s is used up; ask again in ${seconds} s.`;
  return new ApiError('rate_limited', detail, {
    headers: { 'Retry-After': String(seconds) },
    extensions: {
      retry_after: seconds,
      violated_policies: [policy.name],
    },
  });
}
