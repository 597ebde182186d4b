import type { RateLimitSettings } from '#lib/settings.ts';
import { principalKey, type Principal } from '../auth/principal.ts';
import type { Quota } from '../limiter/limiter.ts';
import type { LimitClass } from './route.ts';
import { addressKey } from './trusted-proxies.ts';

export type RatePolicySettings = RateLimitSettings & { readonly RATE_LIMIT_LOADTEST_CALLS: number };

/** One named limit, as told in RateLimit-Policy. */
export type Policy = { readonly name: string; readonly limit: number; readonly periodMs: number };

/** The limits of one request. `header` is the value of RateLimit-Policy. */
export type PolicySet = { readonly policies: readonly Policy[]; readonly header: string };

export type RatePolicy = {
  /** The limits that hold for a caller on a class of routes. */
  readonly policiesFor: (principal: Principal, limitClass: LimitClass) => PolicySet;
};

const minuteMs = 60_000;

/** Limits of single classes of routes, each beside the default one. */
const classPolicies: Readonly<Record<Exclude<LimitClass, 'default'>, Policy>> = {
  login: { name: 'login', limit: 5, periodMs: minuteMs },
  client_create: { name: 'client_create', limit: 5, periodMs: minuteMs },
  order_create: { name: 'order_create', limit: 10, periodMs: minuteMs },
  search: { name: 'search', limit: 30, periodMs: minuteMs },
};

/** An operator's key serves a whole back office. */
const operatorFactor = 10;

/**
 * Customers and the anonymous have the default limit and the limit of the route's class. Operators have ten times the
 * default and no class; load test keys, and the customers they made, a quota of their own and no class.
 */
export function createRatePolicy(settings: RatePolicySettings): RatePolicy {
  const periodMs = settings.RATE_LIMIT_PERIOD * 1000;
  const standard: Policy = { name: 'default', limit: settings.RATE_LIMIT_CALLS, periodMs };
  const operator = policySet([{ name: 'operator', limit: settings.RATE_LIMIT_CALLS * operatorFactor, periodMs }]);
  const loadtest = policySet([{ name: 'loadtest', limit: settings.RATE_LIMIT_LOADTEST_CALLS, periodMs }]);
  const byClass: Readonly<Record<LimitClass, PolicySet>> = {
    default: policySet([standard]),
    login: policySet([standard, classPolicies.login]),
    client_create: policySet([standard, classPolicies.client_create]),
    order_create: policySet([standard, classPolicies.order_create]),
    search: policySet([standard, classPolicies.search]),
  };
  return {
    policiesFor: (principal, limitClass) => {
      if (principal.kind === 'operator') return operator;
      if (principal.kind === 'loadtest' || (principal.kind === 'customer' && principal.quota === 'loadtest')) return loadtest;
      return byClass[limitClass];
    },
  };
}

function policySet(policies: readonly Policy[]): PolicySet {
  return { policies, header: policies.map(({ name, limit, periodMs }) => `"${name}";q=${limit};w=${periodMs / 1000}`).join(', ') };
}

/** Who a request is counted as: the principal, else the address. */
export function rateIdentity(principal: Principal, address: string): string {
  return principalKey(principal) ?? addressKey(address);
}

export function quotasOf({ policies }: PolicySet, identity: string): Quota[] {
  return policies.map(({ name, limit, periodMs }) => ({ key: `${name}:${identity}`, limit, periodMs }));
}
