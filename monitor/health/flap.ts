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
  return health.turnsMs.filter((turnMs) => clockMs - turnMs < rules.windowMs).length >= rules.turns;
}
