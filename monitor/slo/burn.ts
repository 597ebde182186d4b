import { atLeast } from '#lib/binomial.ts';

/** Answers over some time; bad ones are part of no other count. */
export type Counts = { readonly good: number; readonly bad: number };

/** How fast the budget may not burn over two windows at once: the long one says that it matters, the short one that it still goes on. */
export type BurnRule = {
  readonly severity: 'page' | 'ticket';
  readonly longMs: number;
  readonly shortMs: number;
  /** Share of the budget of the whole period that the long window would use up. */
  readonly budgetShare: number;
};

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/** How improbable so many bad answers must be, if the budget burned no faster than the rule allows. */
const alpha = 0.01;

/** The time a budget is for. */
export const periodMs = 30 * day;

/**
 * The windows of the SRE workbook, table 5-8, and one of 15 minutes before them, for what answers few requests: among those of an
 * hour its first bad ones would drown.
 * @see https://sre.google/workbook/alerting-on-slos/
 */
export const burnRules: readonly BurnRule[] = [
  { severity: 'page', longMs: 15 * minute, shortMs: 5 * minute, budgetShare: 0.005 },
  { severity: 'page', longMs: hour, shortMs: 5 * minute, budgetShare: 0.02 },
  { severity: 'page', longMs: 6 * hour, shortMs: 30 * minute, budgetShare: 0.05 },
  { severity: 'ticket', longMs: day, shortMs: 2 * hour, budgetShare: 0.1 },
  { severity: 'ticket', longMs: 3 * day, shortMs: 6 * hour, budgetShare: 0.1 },
];

/** How many times as fast as allowed: at 1 the budget lasts exactly for its period. */
export const burnFactor = ({ budgetShare, longMs }: Pick<BurnRule, 'budgetShare' | 'longMs'>): number => (budgetShare * periodMs) / longMs;

export type Burning = { readonly rule: BurnRule; readonly long: Counts };

/**
 * The first rule by which the budget burns too fast; undefined when none is certain. By the exact binomial distribution, so few
 * answers prove as little as they are; and one bad answer alone never proves anything. Pure.
 * @param objective share of answers that must be good, such as 0.999
 * @param countsOf answers of the last so many ms
 */
export function findBurning(objective: number, countsOf: (windowMs: number) => Counts): Burning | undefined {
  for (const rule of burnRules) {
    const limit = burnFactor(rule) * (1 - objective);
    const [long, short] = [countsOf(rule.longMs), countsOf(rule.shortMs)];
    const goesOn = short.bad > 0 && short.bad >= limit * (short.good + short.bad);
    if (goesOn && long.bad > 1 && limit < 1 && atLeast(long.bad, long.good + long.bad, limit) <= alpha) return { rule, long };
  }
  return undefined;
}

/** Share of the budget that is left of the answers of a period; below 0 when more than all was used. 1 without any answer. Pure. */
export function budgetLeft(objective: number, { good, bad }: Counts): number {
  return good + bad === 0 ? 1 : 1 - bad / ((good + bad) * (1 - objective));
}
