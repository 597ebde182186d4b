import type Koa from 'koa';
import readBody from 'raw-body';
import { AppError, UsageError } from '#lib/errors.ts';
import { html, type Html } from '#lib/html.ts';
import { showTime } from '#lib/show.ts';
import type { Incident, Note } from '../model/incident.ts';
import type { Silence } from '../model/quiet.ts';
import { commandSchema, type Command } from '../quiet/command.ts';
import { isCommandSigned, judgeLink, type SignedLink, type TakeNonce } from '../quiet/signature.ts';
import type { BeatDeps } from './beat-page.ts';
import { pageShell } from './page-shell.ts';
import type { StatusSnapshot } from './status-snapshot.ts';
import { presentNote, type NoteView } from './incident-view.ts';
import { presentSilence, type SilenceView } from './quiet-view.ts';
import { presentIncident, type IncidentView } from './status-view.ts';
import { type Voice, voiceFor } from './words.ts';

/** What was done of a command. */
export type Done =
  | { readonly done: 'silence' | 'unsilence'; readonly silence: Silence }
  | { readonly done: 'note'; readonly note: Note }
  | { readonly done: 'ack'; readonly outcome: 'acknowledged' | 'already'; readonly incidents: readonly Incident[] };

/** The same as `/api/control` answers it. */
export type DoneView =
  | { readonly done: 'silence' | 'unsilence'; readonly silence: SilenceView }
  | { readonly done: 'note'; readonly note: NoteView }
  | { readonly done: 'ack'; readonly outcome: 'acknowledged' | 'already'; readonly incidents: readonly IncidentView[] };

export type Control = BeatDeps & {
  readonly takeNonce: TakeNonce;
  /** One on record, over or not. @throws {StoreError} */
  readonly incident: (id: string) => Incident | undefined;
  /** @throws {UsageError} it cannot be done as asked · {StoreError} */
  readonly obey: (command: Command) => Done;
};

type ControlPage = (ctx: Koa.Context, control: Control, takeSnapshot: () => Promise<StatusSnapshot>) => Promise<void>;

const longestBodyBytes = 64 * 1024;

/** Pages that change something, by method and path. Each asks for a signature: only who was told, or who may read the folder, has one. */
export const controlPages: Readonly<Record<string, ControlPage>> = {
  'POST /api/control': async (ctx, control) => {
    const body = await bodyOf(ctx);
    const authorization = ctx.get('authorization');
    if (!isCommandSigned(control.signer, authorization, { body, now: Date.now() })) return refuse(ctx, 401, 'it is not signed');
    const command = commandSchema.safeParse(parseJson(body));
    if (!command.success)
      return refuse(ctx, 422, command.error.issues.map(({ path, message }) => `${path.join('/')} ${message}`).join('; '));
    try {
      // Whoever overheard it may not give it again.
      if (!control.takeNonce(authorization)) return refuse(ctx, 409, 'it was taken before; sign it anew');
      ctx.body = presentDone(control.obey(command.data));
    } catch (err) {
      if (!(err instanceof AppError)) throw err;
      refuse(ctx, err instanceof UsageError ? 422 : 503, err.message);
    }
  },
  // Mail programs and chats open links by themselves: opening one only asks.
  'GET /ack': async (ctx, control, takeSnapshot) => {
    const voice = voiceFor(ctx);
    const link = linkIn(ctx.URL.searchParams);
    if (!mayAsk(ctx, control, link)) return;
    const { targets, now } = await takeSnapshot();
    const incident = targets.flatMap(({ incidents }) => incidents).find(({ id }) => id === link.incident);
    if (incident) showPage(ctx, 200, ackForm(presentIncident(incident, now), link, voice));
    else showOver(ctx, control, link);
  },
  'POST /ack': async (ctx, control) => {
    const { forOperators: own } = voiceFor(ctx).words;
    const form = new URLSearchParams(await bodyOf(ctx));
    const link = linkIn(form);
    if (!mayAsk(ctx, control, link)) return;
    const command = commandSchema.safeParse({ do: 'ack', of: link.incident, by: form.get('by') || 'somebody who was told' });
    if (!command.success) return showPage(ctx, 422, html`<h1>${own.nameTooLong}</h1>`);
    try {
      const done = presentDone(control.obey(command.data));
      if (done.done === 'ack') showPage(ctx, 200, acknowledged(done, own));
    } catch (err) {
      if (!(err instanceof UsageError)) throw err;
      showOver(ctx, control, link);
    }
  },
};

function linkIn(given: URLSearchParams): SignedLink {
  const [incident, until, signature] = ['incident', 'until', 'signature'].map((name) => given.get(name) ?? '') as [string, string, string];
  return { incident, until, signature };
}

/** Shows why not, where whoever has the link may not ask. */
function mayAsk(ctx: Koa.Context, { signer }: Control, link: SignedLink): boolean {
  const { forOperators: own } = voiceFor(ctx).words;
  const state = judgeLink(signer, link, Date.now());
  if (state === 'forged') showPage(ctx, 403, says(own.linkBroken, own.linkCure));
  if (state === 'ended') showPage(ctx, 410, says(own.linkEnded, own.linkEndedCure));
  return state === 'good';
}

/** That nothing is left to take on, and of what, as far as that is still on record. */
function showOver(ctx: Koa.Context, control: Control, { incident: id }: SignedLink): void {
  const { forOperators: own } = voiceFor(ctx).words;
  const incident = control.incident(id);
  if (incident?.endedAt === undefined) return showPage(ctx, 410, says(own.isOver, own.nothingLeft));
  const took = incident.acknowledged === undefined ? '' : own.hasTaken(incident.acknowledged.by);
  showPage(
    ctx,
    410,
    says(own.targetIsOver(incident.probe), `${own.lasted(showTime(incident.startedAt), showTime(incident.endedAt))} ${took}`),
  );
}

/** @throws when it is longer than anything meant */
export const bodyOf = (ctx: Koa.Context): Promise<string> => readBody(ctx.req, { limit: longestBodyBytes, encoding: 'utf8' });

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refuse(ctx: Koa.Context, status: number, detail: string): void {
  ctx.status = status;
  ctx.body = { detail };
}

function presentDone(done: Done): DoneView {
  if (done.done === 'ack') return { ...done, incidents: done.incidents.map((incident) => presentIncident(incident, Date.now())) };
  if (done.done === 'note') return { ...done, note: presentNote(done.note) };
  return { ...done, silence: presentSilence(done.silence) };
}

type OwnWords = Voice['words']['forOperators'];

const says = (what: string, more: string): Html =>
  html`<h1>${what}</h1>
    <p>${more}</p>`;

function ackForm(
  { id, target, detail, started_at: startedAt, acknowledged_by: by }: IncidentView,
  { until, signature }: SignedLink,
  { language, words: { forOperators: own } }: Voice,
): Html {
  const taken = by === null ? undefined : html`<p>${own.hasTaken(by)}</p>`;
  return html`<h1>${own.takeOn(target)}</h1>
    <p>${detail}<br /><span class="soft">${own.since(showTime(startedAt))}</span></p>
    ${
      taken ??
      html`<p>${own.takeOnMeans}</p>
        <form method="post" action="/ack?lang=${language}">
          <input type="hidden" name="incident" value="${id}" /><input type="hidden" name="until" value="${until}" />
          <input type="hidden" name="signature" value="${signature}" />
          <label>${own.yourName} <input name="by" maxlength="60" autocomplete="name" /></label> <button>${own.takeItOn}</button>
        </form>`
    }`;
}

function acknowledged({ outcome, incidents }: Extract<DoneView, { done: 'ack' }>, own: OwnWords): Html {
  const [incident] = incidents;
  if (!incident) return says(own.isOver, own.nothingLeft);
  const { target, acknowledged_by: by } = incident;
  return html`<h1>${(outcome === 'already' ? own.takenAlready : own.taken)(by ?? '', target)}</h1>`;
}

/** A short page that says one thing. */
export function showPage(ctx: Koa.Context, status: number, content: Html): void {
  const { language, words } = voiceFor(ctx);
  ctx.status = status;
  ctx.type = 'text/html; charset=utf-8';
  ctx.body = pageShell({
    language,
    title: 'Atalaya',
    main: html`${content}
      <p><a href="/?lang=${language}">${words.back}</a></p>`,
  });
}
