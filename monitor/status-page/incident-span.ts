import { html, type Html } from '#lib/html.ts';
import { showDuration } from '#lib/show.ts';
import type { IncidentKind } from '../model/incident.ts';

/** How what goes on looks. Pure. */
export const toneOf = (kind: IncidentKind): 'down' | 'degraded' | 'unknown' => (kind === 'degraded' || kind === 'unknown' ? kind : 'down');

/** A moment beside the beginning of its incident: `+12 s`, `−3 s`. Pure. @param at ISO, as `startedAt` */
export function offsetOf(at: string, startedAt: string): string {
  const afterMs = Date.parse(at) - Date.parse(startedAt);
  return `${afterMs < 0 ? '−' : '+'}${afterMs === 0 ? '0 s' : showDuration(Math.abs(afterMs))}`;
}

/** A moment as it stands beside its incident, and by itself. Pure. */
export const momentOf = (at: string, startedAt: string, show: (at: string) => string): Html =>
  html`<span class="moment"><strong>${offsetOf(at, startedAt)}</strong><time class="small" datetime="${at}">${show(at)}</time></span>`;

export type Span = {
  readonly tone: string;
  /** ISO times. */
  readonly startedAt: string;
  readonly endedAt: string | null;
  /** Moments of it that are marked. */
  readonly marks: readonly string[];
  /** Ms of the epoch. */
  readonly now: number;
  /** What the bar says to who does not see it. */
  readonly label: string;
};

const [drawnWidth, edge] = [720, 48];

/** How long it went on, to scale, with what was before and after at both ends. Pure. */
export function spanBar({ tone, startedAt, endedAt, marks, now, label }: Span, show: (at: string) => string): Html {
  const start = Date.parse(startedAt);
  const lastedMs = Math.max(1, (endedAt === null ? now : Date.parse(endedAt)) - start);
  const width = drawnWidth - (endedAt === null ? edge : 2 * edge);
  const x = (at: string): number => Math.round(edge + width * Math.min(1, Math.max(0, (Date.parse(at) - start) / lastedMs)));
  return html`<div class="span">
    <svg viewBox="0 0 ${drawnWidth} 14" preserveAspectRatio="none" role="img" aria-label="${label}">
      <rect class="up" width="${edge}" height="14" />
      <rect class="${tone}" x="${edge}" width="${width}" height="14" />
      ${endedAt !== null && html`<rect class="up" x="${edge + width}" width="${edge}" height="14" />`}
      ${marks.map((at) => html`<rect class="mark" x="${x(at) - 1}" width="2" height="14" />`)}
    </svg>
    <p class="small">
      <time datetime="${startedAt}">${show(startedAt)}</time
      >${endedAt !== null && html`<time datetime="${endedAt}">${show(endedAt)}</time>`}
    </p>
  </div>`;
}
