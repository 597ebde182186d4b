import type { Alert } from './alert.ts';
import type { ProbeResult, Verdict } from './look.ts';
import type { TimelineEntry } from './quiet.ts';
import type { DayTally } from './tally.ts';

/** What outlives the process of one target. Streaks do not: a new process confirms for itself. Times: ms of the epoch. */
export type StoredHealth = {
  readonly probe: string;
  readonly verdict: Verdict;
  readonly since: number;
  readonly checkedAt: number;
  readonly latencyMs: number;
  readonly detail: string;
};

/**
 * What goes on. `down`: an outage of a target. `unknown`: the monitor has been unable to tell for too long. `flapping`: a
 * target comes and goes. `degraded`: a target works, but not well, for too long. `self`: something is wrong with the monitor itself; its `probe` is no target, but `monitor.<part>`.
 */
export type IncidentKind = 'down' | 'unknown' | 'flapping' | 'degraded' | 'self';

/** Something that began and ends; a target has at most one open of each kind. Times: ms of the epoch. */
export type Incident = {
  readonly id: string;
  readonly kind: IncidentKind;
  readonly probe: string;
  readonly startedAt: number;
  /** When it was found out, as by the failure threshold. */
  readonly detectedAt: number;
  readonly detail: string;
  /** When its first alert was handed to the outbox. */
  readonly firedAt: number | undefined;
  /** Reminders handed to the outbox, and when the last alert of any event was. */
  readonly reminders: number;
  readonly lastToldAt: number | undefined;
  /** The target whose own outage explains this one. */
  readonly suppressedBy: string | undefined;
  /** What has kept back something that is still to be told of it, such as `silence s1` or `maintenance nightly`. */
  readonly heldBy?: string | undefined;
  /** When somebody took it on, and who; from then on there are no reminders. */
  readonly acknowledged?: { readonly at: number; readonly by: string } | undefined;
  readonly endedAt: number | undefined;
  /** Of one that is flapping: how often its target has gone down or come back, from the first of those by which it was found out. */
  readonly turns?: number | undefined;
  /** The looks by which it was found out, oldest first; none where no look did. */
  readonly looks?: readonly LookRecord[] | undefined;
};

/** What stays of a look with the incident it helped to find. */
export type LookRecord = Pick<ProbeResult, 'at' | 'outcome' | 'latencyMs' | 'detail'>;

/** What somebody wrote to an incident. Only ever added: whoever corrects one writes another. */
export type Note = {
  readonly incidentId: string;
  /** Ms of the epoch. */
  readonly at: number;
  readonly by: string;
  readonly kind: 'note' | 'post_mortem';
  /** Whether everybody may read it, or operators alone. */
  readonly isPublic: boolean;
  /** Plain text, of several lines. */
  readonly text: string;
};

/** Everything one look, or one decision, changes. Recorded whole or not at all. */
export type TickCommit = {
  readonly health: readonly StoredHealth[];
  /** Incidents as they are from now on. */
  readonly incidents: readonly Incident[];
  /** One message for each channel is queued per alert. */
  readonly alerts: readonly Alert[];
  readonly timeline?: readonly TimelineEntry[];
  /** How a target was since its last look; added to what is on record. */
  readonly tallies?: readonly DayTally[];
};

/**
 * `api-20261124T020000000Z`, of another kind than `down` with the kind behind it. A clock that is set back passes a millisecond again:
 * what begins in one that is taken has a number behind all that.
 * @param isTaken whether an incident of this id is on record
 */
export function incidentId(probe: string, startedAt: number, kind: IncidentKind, isTaken: (id: string) => boolean): string {
  const instant = `${probe}-${new Date(startedAt).toISOString().replaceAll(/[-:.]/g, '')}`;
  const id = kind === 'down' || kind === 'self' ? instant : `${instant}-${kind}`;
  let [free, number] = [id, 1];
  while (isTaken(free)) free = `${id}-${(number += 1)}`;
  return free;
}
