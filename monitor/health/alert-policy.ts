import type { Hold } from './holds.ts';

/** What the policy knows of trouble that is under way. */
export type OpenIncident = {
  /** When its first alert was handed to the outbox; undefined while none was. */
  readonly firedAt: number | undefined;
  readonly suppressedBy: string | undefined;
  /** When it was last told, in ms of the epoch. */
  readonly lastToldAt: number | undefined;
  /** What has kept back something that is still to be told. */
  readonly heldBy?: string | undefined;
};

export type AlertDecision =
  | { readonly action: 'fire'; readonly reason: 'begun' | 'outlasted_parent' | 'outlasted_quiet' }
  | { readonly action: 'remind'; readonly reason: 'goes_on' | 'outlasted_quiet' }
  | { readonly action: 'resolve'; readonly reason: 'over' }
  /** It ends without a message, because none announced it. */
  | { readonly action: 'end_quietly'; readonly reason: 'never_fired' }
  | { readonly action: 'hold'; readonly reason: 'already_firing' | 'no_trouble' }
  | ({ readonly action: 'hold' } & Hold);

/**
 * What is to be told about one kind of trouble of one target now. Holds keep back its first message and its reminders; that it
 * is over is told whenever its beginning was. What outlasts a silence or planned work is told then, also when it was told
 * before they began. Pure.
 * @param remindAfterMs Infinity: no reminders; undefined: it is told once at most
 */
export function decideAlert(
  isOn: boolean,
  incident: OpenIncident | undefined,
  hold: Hold | undefined,
  { remindAfterMs, now }: { readonly remindAfterMs: number | undefined; readonly now: number },
): AlertDecision {
  const isFiring = incident?.firedAt !== undefined;
  if (!isOn) {
    if (!incident) return { action: 'hold', reason: 'no_trouble' };
    return isFiring ? { action: 'resolve', reason: 'over' } : { action: 'end_quietly', reason: 'never_fired' };
  }
  if (isFiring) {
    // Told over restarts, so by the clock of the machine; when that was set back by as much, it is time as well.
    const sinceMs = Math.abs(now - (incident.lastToldAt ?? now));
    if (hold || remindAfterMs === undefined) return { action: 'hold', reason: 'already_firing' };
    if (incident.heldBy !== undefined) return { action: 'remind', reason: 'outlasted_quiet' };
    return sinceMs >= remindAfterMs ? { action: 'remind', reason: 'goes_on' } : { action: 'hold', reason: 'already_firing' };
  }
  if (hold) return { action: 'hold', ...hold };
  if (incident?.heldBy !== undefined) return { action: 'fire', reason: 'outlasted_quiet' };
  return { action: 'fire', reason: incident?.suppressedBy === undefined ? 'begun' : 'outlasted_parent' };
}
