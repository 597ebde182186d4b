import type { ParentHold } from './dependencies.ts';
import type { Verdict } from '../model/look.ts';

/** What the policy knows of an outage that is under way. */
export type OpenIncident = {
  /** True once its FIRING was committed to the outbox. */
  readonly isFiring: boolean;
  readonly suppressedBy: string | undefined;
};

export type AlertDecision =
  | { readonly action: 'fire'; readonly reason: 'threshold_reached' | 'outlasted_parent' }
  | { readonly action: 'resolve'; readonly reason: 'recovered' }
  /** The outage ends without a message, because none announced it. */
  | { readonly action: 'end_quietly'; readonly reason: 'never_fired' }
  | { readonly action: 'hold'; readonly reason: 'already_firing' | 'no_outage' }
  | { readonly action: 'hold'; readonly reason: ParentHold['reason']; readonly parent: string };

/**
 * What is to be told about one target now. Dependencies hold back a FIRING only; a RESOLVED goes out whenever its FIRING
 * did. Pure.
 */
export function decideAlert(verdict: Verdict, incident: OpenIncident | undefined, hold: ParentHold | undefined): AlertDecision {
  if (verdict !== 'down') {
    if (!incident) return { action: 'hold', reason: 'no_outage' };
    return incident.isFiring ? { action: 'resolve', reason: 'recovered' } : { action: 'end_quietly', reason: 'never_fired' };
  }
  if (incident?.isFiring) return { action: 'hold', reason: 'already_firing' };
  if (hold) return { action: 'hold', ...hold };
  return { action: 'fire', reason: incident?.suppressedBy === undefined ? 'threshold_reached' : 'outlasted_parent' };
}
