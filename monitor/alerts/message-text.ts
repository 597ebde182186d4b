import { showDuration, showTime } from '#lib/show.ts';
import { roleOf, type Alert } from '../model/alert.ts';
import type { Fact } from '../model/look.ts';
import { eventIn, labelIn, statusIn } from '../words/labels.ts';
import type { Language } from '../words/language.ts';
import type { Delivery } from './channel.ts';

/** Who sends: what somebody who is woken must know first. */
export type Sender = {
  /** Name of the deployment, where it has one. */
  readonly deployment: string | undefined;
  /** What its messages are written in. */
  readonly language: Language;
  /** The machine the monitor runs on. */
  readonly host: string;
  /** Where people reach the status page. */
  readonly statusUrl: string;
  /** Where somebody who was told takes an incident on; only who has the link may. */
  readonly ackUrl?: ((incidentId: string) => string) | undefined;
};

/** A value with what it is called, in the words of the message. */
export type Named = readonly [name: string, value: string];

/** A message in words, before a channel gives it its form. */
export type MessageText = {
  readonly language: Language;
  /** First words of every message: `[FIRING] api`, and the deployment where it has a name. */
  readonly title: string;
  /** Why, in a sentence, where that is known; it stands before all else. */
  readonly cause: string | undefined;
  readonly detail: string;
  /** What is broken, and for whom; it is among the facts too. */
  readonly impact: string | undefined;
  /** In reading order; what a finding is called, and its value. */
  readonly facts: readonly Named[];
  readonly nextStep: string | undefined;
  readonly statusUrl: string;
  /** Where operators see all that is on record of it; undefined where it is no incident. */
  readonly incidentUrl: string | undefined;
  /** Where to take it on; undefined where there is nothing to take on. */
  readonly ackUrl: string | undefined;
};

/** First words of an alert, such as `[FIRING] api`. */
export function alertTitle(alert: Alert, language: Language = 'en'): string {
  return `[${eventIn(alert.event, language).toUpperCase()}] ${alert.probe}`;
}

/** Everything a message says, in the language of its sender. */
export async function describeAlert(alert: Alert, delivery: Delivery, sender: Sender): Promise<MessageText> {
  // Loaded at the first alert: a monitor at rest keeps its memory.
  const { say } = await import('../words/say.ts');
  const { deployment, host, language, statusUrl } = sender;
  const facts: readonly Fact[] = [
    ...(alert.impact === undefined ? [] : [['Broken for', alert.impact] as const]),
    ...timeFacts(alert),
    ...(alert.facts ?? []),
    ...dependentFacts(alert, language),
    ...missedFacts(alert, delivery.tellsToo),
    ['Monitor', deployment === undefined ? host : { code: 'sentFrom', deployment, host }],
    ['Incident', alert.incidentId],
    ...deliveryFacts(delivery),
  ];
  return {
    language,
    title: `${alertTitle(alert, language)}${deployment === undefined ? '' : ` (${deployment})`}`,
    cause: alert.cause === undefined ? undefined : say(alert.cause, language),
    detail: alert.detail,
    impact: alert.impact === undefined ? undefined : say(alert.impact, language),
    facts: facts.map(([label, value]) => [labelIn(label, language), say(value, language)]),
    nextStep: alert.nextStep === undefined ? undefined : say(alert.nextStep, language),
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
export const linksOf = ({ language, ackUrl, incidentUrl, statusUrl }: MessageText): readonly Named[] => {
  const links = [
    ...(ackUrl === undefined ? [] : [['Take it on', ackUrl] as const]),
    ...(incidentUrl === undefined ? [] : [['On record', incidentUrl] as const]),
    ['Status page', statusUrl] as const,
  ];
  return links.map(([label, url]) => [labelIn(label, language), url]);
};

/** The next step as a fact, where there is one. Pure. */
export const nextOf = ({ language, nextStep }: Pick<MessageText, 'language' | 'nextStep'>): readonly Named[] =>
  nextStep === undefined ? [] : [[labelIn('Next', language), nextStep]];

/** What goes on with a target; the monitor's own troubles have no reminders that somebody could end. */
const isTakenOn = ({ event, probe }: Alert): boolean =>
  (roleOf(event) === 'opens' || event === 'reminder') && !probe.startsWith('monitor.');

function timeFacts({ startedAt, endedAt, event, probe }: Alert): Fact[] {
  if (event === 'test' || (event === 'notice' && probe.startsWith('monitor.'))) return [['At', showTime(startedAt)]];
  if (endedAt === undefined) return [['Since', showTime(startedAt)]];
  return [
    ['Since', showTime(startedAt)],
    ['Until', showTime(endedAt)],
    ['Lasted', showDuration(lastedMs(startedAt, endedAt))],
  ];
}

const lastedMs = (startedAt: string, endedAt: string): number => Date.parse(endedAt) - Date.parse(startedAt);

function dependentFacts({ dependents }: Alert, language: Language): Fact[] {
  if (dependents.length === 0) return [];
  return [['Depends on it', dependents.map(({ name, status }) => `${name} (${statusIn[language][status]})`).join(', ')]];
}

/** What began, and perhaps ended, without anybody being told in time. */
function missedFacts(alert: Alert, tellsToo: readonly Alert[]): Fact[] {
  const all = [...tellsToo, alert];
  return tellsToo
    .filter(({ event }) => roleOf(event) === 'opens')
    .map(({ incidentId, startedAt, detail }): Fact => {
      const endedAt = all.find((other) => other.incidentId === incidentId && other.endedAt !== undefined)?.endedAt;
      const began = showTime(startedAt);
      if (endedAt === undefined) return ['Not told in time', `${began}: ${detail}`];
      return ['Not told in time', { code: 'toldLate', began, lastedMs: lastedMs(startedAt, endedAt), detail }];
    });
}

function deliveryFacts({ delayMs, mayRepeat, mayComeAgain }: Delivery): Fact[] {
  const facts: Fact[] = [];
  if (delayMs >= 60_000) facts.push(['Delayed', { code: 'delayed', byMs: delayMs }]);
  if (mayRepeat) facts.push(['Note', { code: 'mayRepeat' }]);
  if (mayComeAgain) facts.push(['Note', { code: 'mayComeAgain' }]);
  return facts;
}
