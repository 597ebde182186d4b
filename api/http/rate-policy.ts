import type { RateLimitSettings } from '#lib/settings.ts';
import { anonymous, isLoadTest, principalKey, type Principal } from '../auth/principal.ts';
import type { Quota, Verdict } from '../limiter/limiter.ts';
import type { LimitClass } from './route.ts';
import { addressKey } from './trusted-proxies.ts';

export type RatePolicySettings = RateLimitSettings & { readonly RATE_LIMIT_LOADTEST_CALLS: number };

/** One named limit, as told in RateLimit-Policy. */
export type Policy = { readonly name: string; readonly limit: number; readonly periodMs: number };

/** The limits of one request. `header` is the value of RateLimit-Policy. */
export type PolicySet = { readonly policies: readonly Policy[]; readonly header: string };

/** Who is counted: a principal, or undefined while a credential has proved nothing yet. */
export type Caller = Principal | undefined;

/** The limits a request is counted against, and as whom. */
export type Counted = { readonly set: PolicySet; readonly identity: string };

/** What the limits of a request have said. */
export type Taken = { readonly set: PolicySet; readonly verdicts: readonly Verdict[] };

export type RatePolicy = {
  /** @param address of the client */
  readonly countedAs: (caller: Caller, address: string, limitClass: LimitClass) => Counted;
};

const minuteMs = 60_000;

/** Limits of single classes of routes, each beside the default one. */
const classPolicies: Readonly<Record<Exclude<LimitClass, 'default'>, Policy>> = {
  login: { name: 'login', limit: 5, periodMs: minuteMs },
  password_reset: { name: 'password_reset', limit: 5, periodMs: minuteMs },
  client_create: { name: 'client_create', limit: 5, periodMs: minuteMs },
  // May ask for the current password: a stolen token must not guess it more often than a login could.
  client_change: { name: 'client_change', limit: 20, periodMs: 15 * minuteMs },
  order_create: { name: 'order_create', limit: 10, periodMs: minuteMs },
  review: { name: 'review', limit: 3, periodMs: minuteMs },
  search: { name: 'search', limit: 30, periodMs: minuteMs },
};

/**
 * What is aimed at has limits too, whoever aims: below the 100 attempts an hour of OWASP ASVS 2.2.1, and no more mails than
 * somebody who did not ask for them puts up with.
 */
export const targetPolicies: Readonly<Partial<Record<LimitClass, Policy>>> = {
  login: { name: 'login_account', limit: 20, periodMs: 15 * minuteMs },
  password_reset: { name: 'password_reset_account', limit: 3, periodMs: 60 * minuteMs },
};

/** Instead of that of all strangers, for each address that the account's owner has logged in from before. */
export const knownAddressPolicy: Policy = { name: 'login_known_address', limit: 20, periodMs: 15 * minuteMs };

/** An operator's key serves a whole back office. */
const operatorFactor = 10;

/**
 * Customers and the anonymous have the default limit and the limit of the route's class. Operators have ten times the
 * default and no class; load test keys, and the customers they made, a quota of their own and no class.
 * Login, password reset and registration are counted by the address, whatever credential comes with them: else everyone who has accounts
 * could try five passwords of others with each. Only a load test's key registers within its own quota.
 * A credential nobody knows yet is counted by its address before it is looked up, in a count of its own: the default one
 * stays exact for those who share the address.
 */
export function createRatePolicy(settings: RatePolicySettings): RatePolicy {
  const periodMs = settings.RATE_LIMIT_PERIOD * 1000;
  const standard: Policy = { name: 'default', limit: settings.RATE_LIMIT_CALLS, periodMs };
  const credential = policySet([{ ...standard, name: 'credential' }]);
  const operator = policySet([{ name: 'operator', limit: settings.RATE_LIMIT_CALLS * operatorFactor, periodMs }]);
  const loadtest = policySet([{ name: 'loadtest', limit: settings.RATE_LIMIT_LOADTEST_CALLS, periodMs }]);
  const byClass: Readonly<Record<LimitClass, PolicySet>> = {
    default: policySet([standard]),
    login: policySet([standard, classPolicies.login]),
    password_reset: policySet([standard, classPolicies.password_reset]),
    client_create: policySet([standard, classPolicies.client_create]),
    client_change: policySet([standard, classPolicies.client_change]),
    order_create: policySet([standard, classPolicies.order_create]),
    review: policySet([standard, classPolicies.review]),
    search: policySet([standard, classPolicies.search]),
  };
  const setFor = (principal: Principal, limitClass: LimitClass): PolicySet => {
    if (principal.kind === 'operator') return operator;
    if (isLoadTest(principal)) return loadtest;
    return byClass[limitClass];
  };
  return {
    countedAs: (caller, address, limitClass) => {
      if (caller === undefined) return { set: credential, identity: addressKey(address) };
      const principal = isByAddress(caller, limitClass) ? anonymous : caller;
      return { set: setFor(principal, limitClass), identity: principalKey(principal) ?? addressKey(address) };
    },
  };
}

const isByAddress = (principal: Principal, limitClass: LimitClass): boolean =>
  limitClass === 'login' || limitClass === 'password_reset' || (limitClass === 'client_create' && principal.kind !== 'loadtest');

export function policySet(policies: readonly Policy[]): PolicySet {
  return { policies, header: policies.map(({ name, limit, periodMs }) => `"${name}";q=${limit};w=${periodMs / 1000}`).join(', ') };
}

export function quotasOf({ policies }: Pick<PolicySet, 'policies'>, identity: string): Quota[] {
  return policies.map(({ name, limit, periodMs }) => ({ key: `${name}:${identity}`, limit, periodMs }));
}
