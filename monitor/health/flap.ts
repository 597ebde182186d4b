import type { Health } from '../model/look.ts';

/** When a target counts as one that comes and goes. */
export type FlapRules = {
  /** So many turns, down or back, within the window. */
  readonly turns: number;
  readonly windowMs: number;
  /** Without a turn for so long it has settled. */
  readonly settleMs: number;
};

/**
 * Whether a target comes and goes. It begins to as it goes down once more, so that the outage before has been told to its
 * end; it goes on until looks over the whole time to settle have agreed. What no look has shown settles nothing. Pure.
 */
export function isFlapping(health: Health, wasFlapping: boolean, rules: FlapRules | undefined): boolean {
  const lastTurnMs = health.turnsMs.at(-1);
  if (!rules || lastTurnMs === undefined || health.conclusiveAt === undefined) return wasFlapping && rules !== undefined;
  const { clockMs } = health.conclusiveAt;
  if (wasFlapping) return clockMs - lastTurnMs < rules.settleMs;
  // The very look by which it went down; later ones must not begin again what has settled.
  if (health.verdict !== 'down' || lastTurnMs !== clockMs) return false;
  return lateTurns(health, rules, clockMs).length >= rules.turns;
}

/**
 * How often a target that comes and goes has done so: those of its window at first, and from then on each. Pure.
 * @param counted so far; undefined: it has only begun to
 */
export function countTurns(
  health: Health,
  counted: number | undefined,
  rules: FlapRules | undefined,
  { hasTurned, clockMs }: { readonly hasTurned: boolean; readonly clockMs: number },
): number {
  return counted === undefined ? lateTurns(health, rules, clockMs).length : counted + (hasTurned ? 1 : 0);
}

/** The turns within the window before a moment, oldest first. Pure. */
export const lateTurns = ({ turnsMs }: Health, rules: FlapRules | undefined, clockMs: number): number[] =>
  turnsMs.filter((turnMs) => rules !== undefined && clockMs - turnMs < rules.windowMs);
