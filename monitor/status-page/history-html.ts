import { html, type Html } from '#lib/html.ts';
import { showDuration } from '#lib/show.ts';
import { historyDays, type DayView, type HistoryView } from './history-view.ts';
import { pageShell } from './page-shell.ts';
import type { Voice, Words } from './words.ts';

const dayMs = 86_400_000;
const barWidth = 3;

/** Every target day by day, whole and without a script. Pure. */
export function historyHtml(history: readonly HistoryView[], now: number, { words, language, time }: Voice): string {
  return pageShell({
    language,
    title: `Atalaya · ${words.history}`,
    aside: html`<div class="small soft">${words.asOf(time(now))}</div>`,
    main: html`<h1 class="plain">${words.historyTitle(historyDays)}</h1>
      ${history.map((each) => targetHistory(each, now, words))}
      <p class="small soft">${words.historyNote}</p>
      <p><a href="/?lang=${language}">${words.back}</a> · <a href="/api/history">JSON</a></p>`,
  });
}

function targetHistory(history: HistoryView, now: number, words: Words): Html {
  const { target } = history;
  return html`<article class="panel card" data-history="${target}">
    <h3>${target}</h3>
    <p class="detail">${uptimeShares(history, words)}</p>
    ${dayBars(history, { days: historyDays, now, words })}
  </article>`;
}

/** Uptime today, over 30 and over 400 days, in words. Pure. */
export function uptimeShares({ uptime_1d: day, uptime_30d: month, uptime_400d: all }: HistoryView, words: Words): string {
  const shares = [[1, day] as const, [30, month] as const, [historyDays, all] as const];
  return shares.map(([days, share]) => `${words.uptime(days)} ${uptimeShare(share, words)}`).join(' · ');
}

/** The last days of a target as bars, today at the right. Pure. */
export function dayBars(
  { target, days: known }: HistoryView,
  { days, now, words }: { readonly days: number; readonly now: number; readonly words: Words },
): Html {
  const first = Math.floor(now / dayMs) - days + 1;
  // Of each day one is known at most, so the last of them are enough.
  const shown = known
    .slice(-days)
    .map((view) => ({ view, day: Date.parse(view.date) / dayMs }))
    .filter(({ day }) => day >= first);
  const bars = joinQuietDays(shown).map((run) => runBar(run, (run.first - first) * barWidth, words));
  return html`<svg
    class="spark"
    viewBox="0 0 ${days * barWidth} 34"
    preserveAspectRatio="none"
    role="img"
    aria-label="${words.days(target, days)}"
  >
    ${bars}
  </svg>`;
}

/** Days that are told together: one of which there is something to say, or several without. `first`: its first, in days since 1970. */
type Run = { readonly from: DayView; to: DayView; readonly first: number; count: number };

/** Most days are like the day before: a year of them is one bar, and the page stays small. */
function joinQuietDays(days: readonly { readonly view: DayView; readonly day: number }[]): Run[] {
  const runs: Run[] = [];
  for (const { view, day } of days) {
    const last = runs.at(-1);
    const isNext = last && day === last.first + last.count;
    if (isNext && isQuiet(view) && isQuiet(last.to)) Object.assign(last, { to: view, count: last.count + 1 });
    else runs.push({ from: view, to: view, first: day, count: 1 });
  }
  return runs;
}

const littleMs = 300_000;
const isQuiet = ({ uptime, degraded_ms: degradedMs, unknown_ms: unknownMs }: DayView): boolean =>
  uptime === 1 && degradedMs === 0 && unknownMs < littleMs;

function runBar({ from, to, count }: Run, x: number, words: Words): Html {
  const { uptime, down_ms: downMs, degraded_ms: degradedMs, unknown_ms: unknownMs } = from;
  const outcome = uptime === null ? 'faulty' : downMs > 0 ? 'failed' : degradedMs > 0 ? 'degraded' : 'ok';
  const told = [
    `${from.date}${count > 1 ? ` ${words.to} ${to.date}` : ''}: ${uptimeShare(uptime, words)}`,
    ...(downMs > 0 ? [words.downFor(showDuration(downMs))] : []),
    ...(degradedMs > 0 ? [words.degradedFor(showDuration(degradedMs))] : []),
    ...(unknownMs >= littleMs ? [words.unknownFor(showDuration(unknownMs))] : []),
  ];
  const width = count * barWidth - 0.6;
  return html`<rect class="${outcome}" x="${x}" y="2" width="${width}" height="30"><title>${told.join(', ')}</title></rect>`;
}

/** Never rounded up to 100 %: an outage of a second stays one. Pure. */
export function uptimeShare(uptime: number | null, words: Words): string {
  if (uptime === null) return words.noneKnown;
  return uptime === 1 ? '100 %' : `${(Math.floor(uptime * 1e5) / 1e3).toFixed(3)} %`;
}
