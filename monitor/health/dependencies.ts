import type { Health } from '../model/look.ts';

/** A target that others stand on, as the rules below see it. */
export type Parent = { readonly name: string; readonly health: Health };

/**
 * Why an alert waits for a parent.
 * `parent_down`: the parent's own alert says it all. `parent_unsettled`: the parent may be about to go down, or nobody
 * has looked at it since the child began to fail. `parent_recovering`: the parent is back and the child gets time to follow.
 */
export type ParentHold = {
  readonly reason: 'parent_down' | 'parent_unsettled' | 'parent_recovering';
  readonly parent: string;
};

export type DependentChild = {
  readonly health: Health;
  /** The parent whose outage already explains this one, if that was found. */
  readonly suppressedBy: string | undefined;
  /** Time the child gets after its parent is back, in ms. */
  readonly graceMs: number;
};

/**
 * Whether a child that is down waits for one of its parents. A parent the monitor cannot look at holds nothing back: better
 * one page too many than none. Parents that are down count whether or not they are themselves suppressed, so the rule is
 * transitive. Pure.
 */
export function parentHold(child: DependentChild, parents: readonly Parent[], clockMs: number): ParentHold | undefined {
  const down = parents.find(({ health }) => health.verdict === 'down');
  if (down) return { reason: 'parent_down', parent: down.name };
  const unsettled = parents.find(({ health }) => isOpenQuestion(health, child.health));
  if (unsettled) return { reason: 'parent_unsettled', parent: unsettled.name };
  const recovering = parents.find(({ name, health }) => name === child.suppressedBy && clockMs - health.since.clockMs < child.graceMs);
  return recovering && { reason: 'parent_recovering', parent: recovering.name };
}

function isOpenQuestion(parent: Health, child: Health): boolean {
  if (parent.fault !== undefined) return false;
  if (parent.conclusiveAt === undefined || parent.failures > 0) return true;
  return child.failingSince !== undefined && parent.conclusiveAt.clockMs < child.failingSince.clockMs;
}
