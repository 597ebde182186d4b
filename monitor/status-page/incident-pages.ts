import type Koa from 'koa';
import { UsageError } from '#lib/errors.ts';
import { html } from '#lib/html.ts';
import { commandSchema } from '../quiet/command.ts';
import type { IncidentRecords } from '../store/store.ts';
import type { Access } from './access.ts';
import { bodyOf, showPage, type Control } from './control-pages.ts';
import { incidentHtml, incidentPageHtml } from './incident-html.ts';
import {
  presentStory,
  readIncidentPage,
  readIncidentQuery,
  type IncidentPageView,
  type IncidentStoryView,
  type Reader,
} from './incident-view.ts';
import { presentPublicIncident, type PublicIncident } from './public-view.ts';
import { presentIncident } from './status-view.ts';
import { voiceFor } from './words.ts';

/** A page of incidents as operators see them. @param path of the page, to which the next one's query is put */
export function operatorIncidents(records: IncidentRecords, ctx: Koa.Context, now: number): IncidentPageView {
  const { incidents, next } = readIncidentPage(records, readIncidentQuery(ctx.query));
  return { incidents: incidents.map((each) => presentIncident(each, now)), next: next === undefined ? null : `${ctx.path}?${next}` };
}

/** Everything on record of one; undefined where there is none of that id. */
export function operatorIncident(records: IncidentRecords, id: string, reader: Reader): IncidentStoryView | undefined {
  const incident = records.incident(id);
  return incident && presentStory(incident, records.storyOf(incident), records.notesOf([id]), reader);
}

/** A page of incidents as everybody sees them. */
export function publicIncidents(records: IncidentRecords, ctx: Koa.Context): { incidents: readonly PublicIncident[]; next: string | null } {
  const { incidents, next } = readIncidentPage(records, { ...readIncidentQuery(ctx.query), isPublic: true });
  const notes = records.notesOf(incidents.map(({ id }) => id));
  return {
    incidents: incidents.flatMap((each) => presentPublicIncident(each, notes)),
    next: next === undefined ? null : `${ctx.path}?${next}`,
  };
}

/** One as everybody sees it; undefined where there is none of that id, or it is not for everybody. */
export function publicIncident(records: IncidentRecords, id: string): PublicIncident | undefined {
  const incident = records.incident(id);
  return incident && presentPublicIncident(incident, records.notesOf([id]))[0];
}

export const showIncidents = (view: IncidentPageView, ctx: Koa.Context, targets: readonly string[]): string => {
  const { probe: target, kind } = readIncidentQuery(ctx.query);
  return incidentPageHtml(view, { target, kind, targets }, voiceFor(ctx));
};

export const showIncident = (view: IncidentStoryView, ctx: Koa.Context, access: Access, version: string): string =>
  incidentHtml(view, voiceFor(ctx), { token: access.formToken(ctx.headers, Date.now()), version, now: Date.now() });

/** What an operator writes to an incident, by the form on its page. */
export async function keepNote(ctx: Koa.Context, access: Access, control: Control): Promise<void> {
  const { language, words } = voiceFor(ctx);
  const { forOperators: own } = words;
  const form = new URLSearchParams(await bodyOf(ctx));
  const token = access.formToken(ctx.headers, Date.now());
  if (token === undefined || form.get('token') !== token) return showPage(ctx, 403, html`<h1>${own.signInAgain}</h1>`);
  const { of, by, text, kind = 'note', public: isPublic } = Object.fromEntries(form) as Record<string, string | undefined>;
  const command = commandSchema.safeParse({ do: 'note', of, by, text, kind, is_public: isPublic === 'yes' });
  if (!command.success) {
    const problems = command.error.issues.map(({ path, message }) => `${path.join('/')} ${message}`).join('; ');
    return showPage(
      ctx,
      422,
      html`<h1>${own.notKept}</h1>
        <p>${problems}</p>`,
    );
  }
  try {
    control.obey(command.data);
  } catch (err) {
    if (!(err instanceof UsageError)) throw err;
    return showPage(ctx, 404, html`<h1>${own.noSuchIncident}</h1>`);
  }
  ctx.status = 303;
  ctx.set('location', `/operator/incidents/${encodeURIComponent(of ?? '')}?lang=${language}`);
  ctx.body = '';
}
