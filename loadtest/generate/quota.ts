import { parseList, type Parameters } from 'structured-headers';

/** One limit of a target, as its RateLimit-Policy names it. @see draft-ietf-httpapi-ratelimit-headers */
export type Quota = { readonly name: string; readonly calls: number; readonly periodSeconds: number };

/** The limits of a RateLimit-Policy header; none when it is missing or makes no sense. */
export function parseQuotas(header: string | undefined): Quota[] {
  if (header === undefined) return [];
  try {
    return parseList(header).flatMap(([name, parameters]) => quotaOf(name, parameters));
  } catch {
    return [];
  }
}

function quotaOf(name: unknown, parameters: Parameters): Quota[] {
  const [calls, periodSeconds] = [parameters.get('q'), parameters.get('w')];
  const isQuota = typeof name === 'string' && typeof calls === 'number' && typeof periodSeconds === 'number';
  return isQuota ? [{ name, calls, periodSeconds }] : [];
}

/** How often one user has sent, second by second, in constant memory. */
export type SendCounter = {
  readonly sent: (second: number) => void;
  /** At most so many in any window of that length that ends in `second`: seconds that lie partly in it count in full. */
  readonly within: (periodSeconds: number, second: number) => number;
};

/** Limits of longer periods are not checked. */
const rememberedSeconds = 128;

export function createSendCounter(): SendCounter {
  const counts = new Uint32Array(rememberedSeconds);
  let newest = 0;
  const forget = (second: number): void => {
    for (; newest < second; newest += 1) counts[(newest + 1) % rememberedSeconds] = 0;
  };
  return {
    sent: (second) => {
      forget(second);
      counts[second % rememberedSeconds] = (counts[second % rememberedSeconds] ?? 0) + 1;
    },
    within: (periodSeconds, second) => {
      forget(second);
      if (periodSeconds + 2 > rememberedSeconds) return Number.POSITIVE_INFINITY;
      let sum = 0;
      for (let at = Math.max(0, second - Math.ceil(periodSeconds)); at <= second; at += 1) sum += counts[at % rememberedSeconds] ?? 0;
      return sum;
    },
  };
}

/**
 * The quota a refusal named although this user had not used it up; undefined when one was used up, or none is known. Pure.
 * @param sentWithin how often the user has sent in the last so many seconds, this request included
 */
export function unusedQuota(quotas: readonly Quota[], sentWithin: (periodSeconds: number) => number): Quota | undefined {
  const isUsedUp = quotas.some(({ calls, periodSeconds }) => sentWithin(periodSeconds) > calls);
  return isUsedUp ? undefined : quotas.toSorted((a, b) => a.calls / a.periodSeconds - b.calls / b.periodSeconds)[0];
}
