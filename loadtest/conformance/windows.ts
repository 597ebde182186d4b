import { isAllowed, isRefused, type Exchange, type Recording } from './exchange.ts';

/** Clocks of targets often count whole milliseconds, and stores expire a little early or late. */
const slackMs = 5;

/**
 * The most exchanges that were certainly counted within one period of each other: the last of them had ended before a
 * period had gone by since the first was sent.
 */
export function fullestWindow(exchanges: readonly Exchange[], periodMs: number): readonly Exchange[] {
  let fullest: readonly Exchange[] = [];
  for (const { sentMs } of exchanges) {
    const inside = exchanges.filter((one) => one.sentMs >= sentMs && one.endedMs < sentMs + periodMs - slackMs);
    if (inside.length > fullest.length) fullest = inside;
  }
  return fullest.toSorted((a, b) => a.sentMs - b.sentMs);
}

/** Whether all were certainly counted within one period, so that nothing of the quota came back meanwhile. */
export const isWithinPeriod = ({ declared: { periodMs } }: Recording, exchanges: readonly Exchange[]): boolean =>
  fullestWindow(exchanges, periodMs).length === exchanges.length;

/** The fullest window, where it holds more than the limit. */
export function overfullWindow(exchanges: readonly Exchange[], limit: number, periodMs: number): readonly Exchange[] | undefined {
  const fullest = fullestWindow(exchanges, periodMs);
  return fullest.length > limit ? fullest : undefined;
}

/**
 * A refusal of a client that, whenever its requests were counted, cannot have used up its limit; with what it had been
 * allowed in the period before. Undefined when there is none.
 * @param ofClient the exchanges of one client
 */
export function earlyRefusal(recording: Recording, ofClient: readonly Exchange[]): readonly Exchange[] | undefined {
  const { limit, periodMs } = recording.declared;
  // What failed may have been counted all the same.
  for (const refused of ofClient) {
    if (!isRefused(recording, refused)) continue;
    const before = ofClient.filter(
      (one) => !isRefused(recording, one) && one.endedMs > refused.sentMs - periodMs - slackMs && one.sentMs < refused.endedMs,
    );
    if (before.length < limit) return [refused, ...before];
  }
  return undefined;
}

export type Count = {
  readonly allowed: number;
  /** Whether it could show at all that more than the limit is allowed: more than that was asked, and all of it within one period. */
  readonly isSharp: boolean;
  /** Undefined: exactly the limit, as far as it can be told. */
  readonly wrong?: { readonly says: string; readonly witnesses: readonly Exchange[] };
};

/** Whether one client was allowed exactly its limit. */
export function countOf(recording: Recording, ofClient: readonly Exchange[]): Count {
  const { limit, periodMs } = recording.declared;
  const isSharp = ofClient.length > limit && isWithinPeriod(recording, ofClient);
  const allowed = ofClient.filter((one) => isAllowed(recording, one));
  const counted = { allowed: allowed.length, isSharp };
  const over = overfullWindow(allowed, limit, periodMs);
  if (over) return { ...counted, wrong: { says: overfullSays(over, limit), witnesses: [...over.slice(0, 1), ...over.slice(limit)] } };
  const early = earlyRefusal(recording, ofClient);
  if (!early) return counted;
  return { ...counted, wrong: { says: `refused after ${early.length - 1} of ${limit} within one period`, witnesses: early.slice(0, 2) } };
}

function overfullSays(over: readonly Exchange[], limit: number): string {
  const spanMs = Math.max(...over.map(({ endedMs }) => endedMs)) - Math.min(...over.map(({ sentMs }) => sentMs));
  return `${over.length} allowed within ${Math.ceil(spanMs)} ms, ${limit} are allowed in one period`;
}
