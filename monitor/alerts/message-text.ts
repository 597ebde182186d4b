import { showDuration, showTime } from '#lib/show.ts';
import { roleOf, type Alert } from '../model/alert.ts';
import type { Fact } from '../model/look.ts';
import type { Delivery } from './channel.ts';

/** Who sends: what somebody who is woken must know first. */
export type Sender = {
  /** Name of the deployment, where it has one. */
  readonly deployment: string | undefined;
  /** The machine the monitor runs on. */
  readonly host: string;
  /** Where people reach the status page. */
  readonly statusUrl: string;
  /** Where somebody who was told takes an incident on; only who has the link may. */
  readonly ackUrl?: ((incidentId: string) => string) | undefined;
};

/** A message in words, before a channel gives it its form. */
export type MessageText = {
  /** First words of every message: `[FIRING] api`, and the deployment where it has a name. */
  readonly title: string;
  /** Why, in a sentence, where that is known; it stands before all else. */
  readonly cause: string | undefined;
  readonly detail: string;
  /** In reading order. */
  readonly facts: readonly Fact[];
  readonly nextStep: string | undefined;
  readonly statusUrl: string;
  /** Where operators see all that is on record of it; undefined where it is no incident. */
  readonly incidentUrl: string | undefined;
  /** Where to take it on; undefined where there is nothing to take on. */
  readonly ackUrl: string | undefined;
};

/** First words of an alert, such as `[FIRING] api`. */
export function alertTitle(alert: Alert): string {
  return `[${alert.event.toUpperCase()}] ${alert.probe}`;
}

/** Everything a message says. Pure. */
export function describeAlert(alert: Alert, delivery: Delivery, sender: Sender): MessageText {
  const { deployment, host, statusUrl } = sender;
  return {
    title: `${alertTitle(alert)}${deployment === undefined ? '' : ` (${deployment})`}`,
    cause: alert.cause,
    detail: alert.detail,
    facts: [
      ...(alert.impact === undefined ? [] : [['Broken for', alert.impact] as const]),
      ...timeFacts(alert),
      ...(alert.facts ?? []),
      ...dependentFacts(alert),
      ...missedFacts(alert, delivery.tellsToo),
      ['Monitor', deployment === undefined ? host : `${deployment}, on ${host}`],
      ['Incident', alert.incidentId],
      ...deliveryFacts(delivery),
    ],
    nextStep: alert.nextStep,
    statusUrl,
    incidentUrl:
      alert.event === 'test' ? undefined : new URL(`/operator/incidents/${encodeURIComponent(alert.incidentId)}`, statusUrl).href,
    ackUrl: isTakenOn(alert) ? sender.ackUrl?.(alert.incidentId) : undefined,
  };
}

/** The cause and what was seen, where that fits on one line. Pure. */
export const leadOf = ({ cause, detail }: Pick<MessageText, 'cause' | 'detail'>): string =>
  cause === undefined ? detail : `${cause} ${detail}`;

/** Where to go from a message, in the order in which it is needed. Pure. */
export const linksOf = ({ ackUrl, incidentUrl, statusUrl }: MessageText): readonly Fact[] => [
  ...(ackUrl === undefined ? [] : [['Take it on', ackUrl] as const]),
  ...(incidentUrl === undefined ? [] : [['On record', incidentUrl] as const]),
  ['Status page', statusUrl],
];

/** What goes on with a target; the monitor's own troubles have no reminders that somebody could end. */
const isTakenOn = ({ event, probe }: Alert): boolean =>
  (roleOf(event) === 'opens' || event === 'reminder') && !probe.startsWith('monitor.');

function timeFacts({ startedAt, endedAt, event, probe }: Alert): Fact[] {
  if (event === 'test' || (event === 'notice' && probe.startsWith('monitor.'))) return [['At', showTime(startedAt)]];
  if (endedAt === undefined) return [['Since', showTime(startedAt)]];
  return [
    ['Since', showTime(startedAt)],
    ['Until', showTime(endedAt)],
    ['Lasted', lasted(startedAt, endedAt)],
  ];
}

const lasted = (startedAt: string, endedAt: string): string => showDuration(Date.parse(endedAt) - Date.parse(startedAt));

function dependentFacts({ dependents }: Alert): Fact[] {
  if (dependents.length === 0) return [];
  return [['Depends on it', dependents.map(({ name, status }) => `${name} (${status})`).join(', ')]];
}

/** What began, and perhaps ended, without anybody being told in time. */
function missedFacts(alert: Alert, tellsToo: readonly Alert[]): Fact[] {
  const all = [...tellsToo, alert];
  return tellsToo
    .filter(({ event }) => roleOf(event) === 'opens')
    .map(({ incidentId, startedAt, detail }): Fact => {
      const endedAt = all.find((other) => other.incidentId === incidentId && other.endedAt !== undefined)?.endedAt;
      const when = endedAt === undefined ? showTime(startedAt) : `${showTime(startedAt)}, for ${lasted(startedAt, endedAt)}`;
      return ['Not told in time', `${when}: ${detail}`];
    });
}

function deliveryFacts({ delayMs, mayRepeat, mayComeAgain }: Delivery): Fact[] {
  const facts: Fact[] = [];
  if (delayMs >= 60_000) facts.push(['Delayed', `${showDuration(delayMs)}: the channel or the monitor was not available`]);
  if (mayRepeat) facts.push(['Note', 'an earlier attempt was cut off, so this may be a repeat']);
  if (mayComeAgain) facts.push(['Note', 'the monitor cannot write its store, so this may come again']);
  return facts;
}
