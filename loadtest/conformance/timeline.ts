import { html, raw, type Html } from '#lib/html.ts';
import { showCount } from '#lib/show.ts';
import { isAllowed, isRefused, type Exchange, type Recording } from './exchange.ts';

/** Into so many pieces the time of a recording is cut. */
const pieces = 240;
const height = 20;

const kinds = ['allowed', 'refused', 'failed'] as const;
type Kind = (typeof kinds)[number];

/** What became of some requests. */
type Sums = Readonly<Record<Kind, number>>;

/** One part of the script: its requests by the piece of the time in which they were sent, and in all. */
type Lane = { readonly stage: string; readonly bars: readonly (Sums & { readonly piece: number })[]; readonly sums: Sums };

/** The parts of a script in the order they began, over the same time. */
export type Timeline = { readonly spanMs: number; readonly lanes: readonly Lane[] };

/** What the target made of the requests of a recording, by the time they were sent. Pure. */
export function timelineOf(recording: Recording): Timeline {
  const exchanges = recording.exchanges.toSorted((a, b) => a.sentMs - b.sentMs);
  const [first, last] = [exchanges[0]?.sentMs ?? 0, exchanges.at(-1)?.sentMs ?? 0];
  const spanMs = last - first;
  const pieceOf = ({ sentMs }: Exchange): number => Math.min(pieces - 1, Math.floor((pieces * (sentMs - first)) / Math.max(1, spanMs)));
  const lanes = [...Map.groupBy(exchanges, ({ stage }) => stage)].map(([stage, asked]) => ({
    stage,
    bars: [...Map.groupBy(asked, pieceOf)].map(([piece, some]) => ({ piece, ...sumsOf(recording, some) })),
    sums: sumsOf(recording, asked),
  }));
  return { spanMs, lanes };
}

function sumsOf(recording: Recording, exchanges: readonly Exchange[]): Sums {
  const refused = exchanges.filter((one) => isRefused(recording, one)).length;
  const allowed = exchanges.filter((one) => isAllowed(recording, one)).length;
  return { allowed, refused, failed: exchanges.length - refused - allowed };
}

const total = (sums: Sums): number => kinds.reduce((sum, kind) => sum + sums[kind], 0);

const say = (sums: Sums): string => kinds.flatMap((kind) => (sums[kind] === 0 ? [] : `${showCount(sums[kind])} ${kind}`)).join(', ');

/** One lane a part, each on a scale of its own. */
export const drawTimeline = ({ spanMs, lanes }: Timeline): Html =>
  html`<p class="soft small">
      Requests over ${(spanMs / 1_000).toFixed(1)} s, by the part of the script:
      ${kinds.map((kind) => html`<span class="key ${kind}">${kind}</span> `)}
    </p>
    <div class="timeline">
      ${lanes.map(({ stage, bars, sums }) => {
        const most = Math.max(...bars.map(total));
        return html`<span class="small">${stage}</span>
          <svg viewBox="0 0 ${pieces} ${height}" preserveAspectRatio="none" role="img" aria-label="${stage}: ${say(sums)}">
            ${bars.map((bar) => drawBar(bar, bar.piece, most))}
          </svg>
          <span class="soft small">${say(sums)}</span>`;
      })}
    </div>`;

/** Refusals stand on what was allowed. */
function drawBar(sums: Sums, x: number, most: number): Html[] {
  let below = 0;
  return kinds.map((kind) => {
    const tall = (height * sums[kind]) / most;
    below += tall;
    const place = `x="${x}" y="${(height - below).toFixed(2)}" width="1" height="${tall.toFixed(2)}"`;
    return html`${tall > 0 && html`<rect class="${kind}" ${raw(place)}></rect>`}`;
  });
}
