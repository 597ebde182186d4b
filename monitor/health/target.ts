import type { Thresholds } from '../model/look.ts';
import type { Probe } from '../probes/probe.ts';
import { recoveryBoundMs, type Cadence } from './detection-bound.ts';
import type { FlapRules } from './flap.ts';

/** How long trouble short of an outage is borne in silence, in ms; Infinity for ever. */
export type Patience = {
  /** A look that takes longer is evidence of a degraded target. */
  readonly slowMs: number;
  /** Time without being able to tell. */
  readonly unknownAfterMs: number;
  /** Time degraded. */
  readonly warnAfterMs: number;
  /** Time since an incident was last told, before it is told again that it goes on. */
  readonly remindAfterMs: number;
  /** Time from the start of the monitor to be up for the first time. */
  readonly startGraceMs: number;
};

/** On what a target stands: each entry holds names of which one is enough. */
export type DependsOn = readonly (readonly string[])[];

/** One thing that is watched. */
export type Target = {
  readonly name: string;
  readonly kind: string;
  readonly dependsOn: DependsOn;
  /** Targets whose outage degrades this one, and does not end it. */
  readonly degradedBy: readonly string[];
  /** Whether everybody may see how long its answers take; unless said so, operators alone may. */
  readonly isLatencyPublic?: boolean;
  readonly cadence: Cadence;
  readonly patience: Patience;
  readonly probe: Probe;
};

/** What the rules need to know of one target. */
export type TargetRules = Pick<Target, 'name' | 'dependsOn' | 'degradedBy' | 'patience'> & {
  readonly thresholds: Thresholds;
  /** Time it gets to follow once a parent that explained its outage is back, in ms. */
  readonly graceMs: number;
  /** Undefined: whether it comes and goes is not asked. */
  readonly flap: FlapRules | undefined;
};

export function rulesOf(target: Target, flap: FlapRules | undefined): TargetRules {
  const { name, dependsOn, degradedBy, patience, cadence } = target;
  return { name, dependsOn, degradedBy, patience, thresholds: cadence, graceMs: recoveryBoundMs(cadence), flap };
}
