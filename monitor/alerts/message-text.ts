import type { Alert } from '../model/alert.ts';
import type { Fact } from '../model/look.ts';
import { shortDuration, shortTime } from '../model/show.ts';
import type { Delivery } from './channel.ts';

/** First words of every message, such as `[FIRING] api`. */
export function alertTitle(alert: Alert): string {
  return `[${alert.event.toUpperCase()}] ${alert.probe}`;
}

/** The facts of an alert as label and value, in reading order. */
export function alertFacts(alert: Alert, delivery: Delivery): readonly Fact[] {
  const facts: Fact[] = [['Since', shortTime(alert.startedAt)]];
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
