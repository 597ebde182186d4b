import { roleOf, type Alert } from '../../model/alert.ts';
import { labelIn } from '../../words/labels.ts';
import type { Delivery } from '../channel.ts';
import { leadOf, linksOf, nextOf, type MessageText, type Named } from '../message-text.ts';

/** One message as a webhook is given it. */
export type Told = { readonly alert: Alert; readonly text: MessageText; readonly delivery: Delivery };

/** How a service wants to be told: the body, as JSON. Pure. */
export type WebhookForm = (told: Told, key: string | undefined) => object;

/** All there is of an alert, for a program. Times are ISO; a reader who has seen `data.id` before has this very message already. */
const standard: WebhookForm = ({ alert, text, delivery }) => ({
  type: `alert.${alert.event}`,
  timestamp: alert.decidedAt,
  data: {
    id: alert.id,
    event: alert.event,
    incident_id: alert.incidentId,
    target: alert.probe,
    title: text.title,
    cause: text.cause ?? null,
    impact: text.impact ?? null,
    detail: text.detail,
    facts: text.facts.map(([label, value]) => ({ label, value })),
    next_step: text.nextStep ?? null,
    status_url: text.statusUrl,
    ack_url: text.ackUrl ?? null,
    started_at: alert.startedAt,
    ended_at: alert.endedAt ?? null,
    may_repeat: delivery.mayRepeat || delivery.mayComeAgain,
    tells_too: delivery.tellsToo.map(({ id }) => id),
  },
});

/**
 * An event of PagerDuty: what opens an incident triggers, who takes it on acknowledges, what closes it resolves, all under the
 * incident's own key.
 * @see https://developer.pagerduty.com/docs/send-alert-event
 */
const pagerduty: WebhookForm = ({ alert, text }, key) => ({
  routing_key: key,
  event_action: roleOf(alert.event) === 'closes' ? 'resolve' : alert.event === 'acknowledged' ? 'acknowledge' : 'trigger',
  dedup_key: alert.incidentId,
  payload: {
    summary: shorten(`${text.title}: ${leadOf(text)}`, 1_024),
    source: alert.probe,
    severity: severityOf(alert),
    timestamp: alert.startedAt,
    custom_details: Object.fromEntries(factsOf(text)),
  },
  links: linksOf(text).map(([title, href]) => ({ href, text: title })),
});

/** An embed, which may hold 6,000 characters in all. @see https://discord.com/developers/docs/resources/message#embed-object */
const discord: WebhookForm = ({ alert, text }) => ({
  // Nobody is called by a name that a target puts into its answer.
  allowed_mentions: { parse: [] },
  embeds: [
    {
      title: shorten(text.title, 256),
      description: [
        shorten(leadOf(text), 1_500),
        ...(text.ackUrl === undefined ? [] : [`[${labelIn('Take it on', text.language)}](${text.ackUrl})`]),
      ].join('\n'),
      url: text.statusUrl,
      color: colours[severityOf(alert)],
      fields: factsOf(text)
        .slice(0, 20)
        .map(([name, value]) => ({ name: shorten(name, 50), value: shorten(value, 150) })),
    },
  ],
});

/** An adaptive card, as a workflow of Teams takes it. @see https://adaptivecards.io/explorer/ */
const teams: WebhookForm = ({ alert, text }) => ({
  type: 'message',
  attachments: [
    {
      contentType: 'application/vnd.microsoft.card.adaptive',
      content: {
        type: 'AdaptiveCard',
        version: '1.4',
        body: [
          { type: 'TextBlock', text: text.title, weight: 'bolder', size: 'large', wrap: true, color: cardColours[severityOf(alert)] },
          { type: 'TextBlock', text: shorten(leadOf(text), 4_000), wrap: true },
          { type: 'FactSet', facts: factsOf(text).map(([title, value]) => ({ title, value: shorten(value, 500) })) },
        ],
        actions: linksOf(text).map(([title, url]) => ({ type: 'Action.OpenUrl', title, url })),
      },
    },
  ],
});

/** Every form there is, by its name in WEBHOOK_FORM. */
export const webhookForms = { standard, pagerduty, discord, teams } as const;

type Severity = 'critical' | 'warning' | 'info';

function severityOf({ event }: Alert): Severity {
  if (event === 'firing' || event === 'reminder') return 'critical';
  return roleOf(event) === 'opens' || event === 'notice' ? 'warning' : 'info';
}

const colours: Readonly<Record<Severity, number>> = { critical: 0xc42b2b, warning: 0xd39a12, info: 0x14804a };
const cardColours: Readonly<Record<Severity, string>> = { critical: 'attention', warning: 'warning', info: 'good' };

const factsOf = (text: MessageText): readonly Named[] => [...nextOf(text), ...text.facts];

const shorten = (text: string, longest: number): string => (text.length > longest ? `${text.slice(0, longest - 1)}…` : text);
