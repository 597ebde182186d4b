import type { HealthStatus } from '../health/health-state.ts';

export type AlertEvent = 'firing' | 'resolved' | 'test';

/** One message for people, whole as it was decided; channels only render it. Kept in the outbox as JSON. */
export type Alert = {
  /** Stable over every attempt and restart: the same id is the same message. */
  readonly id: string;
  readonly event: AlertEvent;
  readonly incidentId: string;
  readonly probe: string;
  /** What was seen, on one line. */
  readonly detail: string;
  /** ISO times. `endedAt` only when resolved. */
  readonly startedAt: string;
  readonly decidedAt: string;
  readonly endedAt?: string;
  /** What stands on the target; their own alerts are held back while it is down. */
  readonly dependents: readonly Dependent[];
};

export type Dependent = { readonly name: string; readonly status: HealthStatus };

/** How this sending of an alert differs from the first one. */
export type Delivery = {
  /** True when an earlier attempt may have arrived although nobody could record it. */
  readonly mayRepeat: boolean;
  /** Time since the decision, in ms. */
  readonly delayMs: number;
};

/** First words of every message, such as `[FIRING] api`. */
export function alertTitle(alert: Alert): string {
  return `[${alert.event.toUpperCase()}] ${alert.probe}`;
}

/** The facts of an alert as label and value, in reading order. */
export function alertFacts(alert: Alert, delivery: Delivery): readonly (readonly [string, string])[] {
  const facts: [string, string][] = [['Since', shortTime(alert.startedAt)]];
  if (alert.endedAt !== undefined) {
    facts.push(['Until', shortTime(alert.endedAt)]);
    facts.push(['Lasted', shortDuration(Date.parse(alert.endedAt) - Date.parse(alert.startedAt))]);
  }
  if (alert.dependents.length > 0) {
    facts.push(['Depends on it', alert.dependents.map(({ name, status }) => `${name} (${status})`).join(', ')]);
  }
  facts.push(['Incident', alert.incidentId]);
  if (delivery.delayMs >= 60_000)
    facts.push(['Delayed', `${shortDuration(delivery.delayMs)}: the channel or the monitor was not available`]);
  if (delivery.mayRepeat) facts.push(['Note', 'an earlier attempt was cut off, so this may be a repeat']);
  return facts;
}

/** `2026-11-24 03:41:07 UTC`. */
export function shortTime(iso: string): string {
  return `${iso.slice(0, 19).replace('T', ' ')} UTC`;
}

/** The two largest units of a duration in ms, such as `3 m 12 s`; below one second `0 s`. */
export function shortDuration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const;
  const first = parts.findIndex(([amount]) => amount > 0);
  if (first === -1) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(' ');
}
