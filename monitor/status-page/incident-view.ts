import * as z from 'zod';
import { showDuration } from '#lib/show.ts';
import type { Incident, Note } from '../model/incident.ts';
import type { Fact } from '../model/look.ts';
import type { Language } from '../words/language.ts';
import { say } from '../words/say.ts';
import type { IncidentQuery, IncidentRecords, IncidentStory, StoredMessage } from '../store/store.ts';
import { presentIncident, type IncidentView } from './status-view.ts';

/** A page of incidents as `/api/operator/incidents` gives it. `next`: the path of the page after it; null on the last. */
export type IncidentPageView = { readonly incidents: readonly IncidentView[]; readonly next: string | null };

/** Everything on record of one incident, as `/api/operator/incidents/ID` gives it. */
export type IncidentStoryView = {
  readonly incident: IncidentView;
  /** Why it is so, in a sentence, and what to do next; null where nobody knows. */
  readonly cause: string | null;
  readonly next_step: string | null;
  /** Oldest first. `by`: who asked for it or did it; null where it came about. */
  readonly timeline: readonly { readonly at: string; readonly event: string; readonly by: string | null; readonly detail: string }[];
  /** What the message that opened it told besides, and what was found around it. */
  readonly evidence: readonly { readonly label: string; readonly value: string }[];
  readonly messages: readonly MessageView[];
  readonly explained: readonly IncidentView[];
  /** Oldest first. */
  readonly notes: readonly NoteView[];
};

export type NoteView = {
  readonly incident_id: string;
  readonly at: string;
  readonly by: string;
  readonly kind: Note['kind'];
  readonly is_public: boolean;
  readonly text: string;
};

export type MessageView = {
  readonly id: string;
  readonly event: string;
  readonly channel: string;
  readonly queued_at: string;
  readonly state: StoredMessage['state'];
  readonly attempts: number;
  /** When the channel accepted it, or it was set aside or merged. */
  readonly settled_at: string | null;
  readonly last_error: string | null;
};

const kinds = ['down', 'unknown', 'flapping', 'degraded', 'self'] as const;
const pageLength = 25;

const querySchema = z.object({
  target: z.string().min(1).max(200).optional().catch(undefined),
  kind: z.enum(kinds).optional().catch(undefined),
  after: z
    .string()
    .regex(/^\d{1,15}_.{1,300}$/)
    .optional()
    .catch(undefined),
});

/** What is asked for in the query of an address; what makes no sense there is left out. Pure. */
export function readIncidentQuery(query: unknown): IncidentQuery {
  const { target, kind, after } = querySchema.parse(query);
  const [startedAt = '', ...rest] = after?.split('_') ?? [];
  return {
    probe: target,
    kind,
    after: after === undefined ? undefined : { startedAt: Number(startedAt), id: rest.join('_') },
    limit: pageLength,
  };
}

/** One page, and the query by which the next one goes on; undefined on the last. @throws {StoreError} */
export function readIncidentPage(
  records: IncidentRecords,
  query: IncidentQuery,
): { readonly incidents: readonly Incident[]; readonly next: string | undefined } {
  const found = records.incidentPage({ ...query, limit: query.limit + 1 });
  const incidents = found.slice(0, query.limit);
  const last = incidents.at(-1);
  if (found.length <= query.limit || !last) return { incidents, next: undefined };
  const { probe: target, kind } = query;
  const next = { ...(target !== undefined && { target }), ...(kind !== undefined && { kind }), after: `${last.startedAt}_${last.id}` };
  return { incidents, next: new URLSearchParams(next).toString() };
}

type Named = { readonly label: string; readonly value: string };

/** Who reads it: when, in ms of the epoch, and in which language. */
export type Reader = { readonly now: number; readonly language: Language };

/** Pure. */
export function presentStory(
  incident: Incident,
  story: IncidentStory,
  notes: readonly Note[],
  { now, language }: Reader,
): IncidentStoryView {
  const opening = story.messages[0]?.alert;
  const entries = story.timeline.filter(({ event }) => event === 'evidence');
  const inWords = ([label, value]: Fact): Named => ({ label, value: say(value, language) });
  /** What was concluded; an older version left it as a text among the evidence. */
  const one = (key: 'cause' | 'nextStep', label: string): string | null => {
    const concluded = entries.find((entry) => entry.found?.[key] !== undefined)?.found?.[key];
    const before = entries.flatMap(({ detail }) => factsOf(detail)).find((fact) => fact.label === label)?.value;
    const sentence = concluded ?? before ?? opening?.[key];
    return sentence === undefined ? null : say(sentence, language);
  };
  return {
    incident: presentIncident(incident, now),
    cause: one('cause', 'Cause'),
    next_step: one('nextStep', 'Next'),
    timeline: timelineOf(incident, story).map(({ at, event, by = null, detail }) => ({ at: iso(at), event, by, detail })),
    evidence: [
      ...(opening?.facts ?? []).map(inWords),
      ...entries.flatMap(({ detail, found }) => found?.facts?.map(inWords) ?? factsOf(detail).filter(isFinding)),
    ],
    messages: story.messages.map(presentMessage),
    explained: story.explained.map((each) => presentIncident(each, now)),
    notes: notes.map(presentNote),
  };
}

/** `Cause: …; Sessions: …`, as evidence stands on the timeline. A value may hold a semicolon, but no label begins small. */
const factsOf = (detail: string): Named[] =>
  detail.split(/; (?=[A-Z][\w ]{0,30}: )/).map((fact) => {
    const [label = '', ...value] = fact.split(': ');
    return { label, value: value.join(': ') };
  });

const isFinding = ({ label }: Named): boolean => label !== 'Cause' && label !== 'Next';

type Event = { readonly at: number; readonly event: string; readonly by?: string; readonly detail: string };

/** Events of one moment stay in the order of cause: looks, what was found, what was told, what people did. */
function timelineOf(incident: Incident, { messages, timeline, explained }: IncidentStory): Event[] {
  const { looks = [], detectedAt, endedAt, detail } = incident;
  const events: readonly Event[] = [
    ...looks.map((look) => ({ at: look.at, event: `look ${look.outcome}`, detail: `${look.detail} · ${showDuration(look.latencyMs)}` })),
    { at: detectedAt, event: 'found out', detail },
    ...explained.map((each) => ({ at: each.detectedAt, event: 'explains', detail: `${each.probe}: ${each.detail}` })),
    ...messages.flatMap(messageEvents),
    ...timeline.map(({ at, event, by, detail: what }) => ({ at, event: event.replace('_', ' '), by, detail: what })),
    ...(endedAt === undefined ? [] : [{ at: endedAt, event: 'over', detail: `after ${showDuration(endedAt - incident.startedAt)}` }]),
  ];
  return events.toSorted((a, b) => a.at - b.at);
}

function messageEvents({ alert, channel, state, attempts, settledAt, lastError }: StoredMessage): Event[] {
  const queued = { at: Date.parse(alert.decidedAt), event: 'queued', detail: `${alert.event} for ${channel}` };
  const tries = attempts === 1 ? 'at the first attempt' : `after ${attempts} attempts`;
  const why = lastError === undefined ? '' : `; ${lastError}`;
  if (settledAt === undefined)
    return attempts === 0 ? [queued] : [{ ...queued, detail: `${queued.detail}, ${attempts} attempts so far${why}` }];
  const words = { sent: 'accepted', failed: 'set aside', merged: 'told with another', pending: 'waits' };
  return [queued, { at: settledAt, event: words[state], detail: `${alert.event} for ${channel} ${tries}${state === 'failed' ? why : ''}` }];
}

function presentMessage({ alert, channel, state, attempts, settledAt, lastError }: StoredMessage): MessageView {
  const { id, event, decidedAt } = alert;
  const settled = settledAt === undefined ? null : iso(settledAt);
  return { id, event, channel, queued_at: decidedAt, state, attempts, settled_at: settled, last_error: lastError ?? null };
}

/** Pure. */
export function presentNote({ incidentId, at, by, kind, isPublic, text }: Note): NoteView {
  return { incident_id: incidentId, at: iso(at), by, kind, is_public: isPublic, text };
}

const iso = (ms: number): string => new Date(ms).toISOString();
