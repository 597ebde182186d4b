import type { Sentence } from '../words/sentence.ts';
import type { Finding, HealthStatus } from './look.ts';

/**
 * What a message tells of its incident.
 * `firing`, `flapping` and `unknown` open one, `resolved`, `settled` and `known` close the one they belong to, `reminder`
 * says that it still goes on, `acknowledged` that somebody has taken it on. `notice` tells once of something that has no end; `test` tells of nothing.
 */
export type AlertEvent =
  | 'firing'
  | 'resolved'
  | 'reminder'
  | 'acknowledged'
  | 'flapping'
  | 'settled'
  | 'unknown'
  | 'known'
  | 'notice'
  | 'test';

/** One message for people, whole as it was decided; channels only render it. Kept in the outbox as JSON. */
export type Alert = Finding & {
  /** From `alertId`: stable over every attempt and restart, so that the same id is the same message. */
  readonly id: string;
  readonly event: AlertEvent;
  readonly incidentId: string;
  /** The target, or `monitor.<part>`. */
  readonly probe: string;
  /** ISO times. `endedAt` only when the incident is over. */
  readonly startedAt: string;
  readonly decidedAt: string;
  readonly endedAt?: string;
  /** What is broken, and for whom; undefined where nothing is. */
  readonly impact?: Sentence;
  /** What stands on the target; their own alerts are held back while it is down. */
  readonly dependents: readonly Dependent[];
};

export type Dependent = { readonly name: string; readonly status: HealthStatus };

/** `<incident>.<event>.<n>`, `n` from 1: the second reminder of an incident is another message than its first. */
export function alertId(incidentId: string, event: AlertEvent, n = 1): string {
  return `${incidentId}.${event}.${n}`;
}

/** Whether a message begins an incident, ends it, or stands between. */
export function roleOf(event: AlertEvent): 'opens' | 'closes' | 'tells' {
  if (event === 'firing' || event === 'flapping' || event === 'unknown') return 'opens';
  return event === 'resolved' || event === 'settled' || event === 'known' ? 'closes' : 'tells';
}

/** How the way to people over one channel fares. Times: ms of the epoch. */
export type ChannelState = {
  readonly channel: string;
  /** Messages that still have to go out, and when the oldest of them was decided. */
  readonly pending: number;
  readonly oldestPendingAt: number | undefined;
  /** Messages set aside within the last day: tried often and refused for ever. */
  readonly failed: number;
  readonly lastSentAt: number | undefined;
  /** What the channel said at its last failure, while one is not made good. */
  readonly lastError: string | undefined;
  /** Since when the channel takes nothing, as judged by its refusals; undefined while it works. */
  readonly brokenSince: number | undefined;
};
