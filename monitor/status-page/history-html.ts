import { html, type Html } from '#lib/html.ts';
import { showDuration, showTime } from '#lib/show.ts';
import { historyDays, type DayView, type HistoryView } from './history-view.ts';
import { styleElement } from './status-style.ts';

const dayMs = 86_400_000;
const barWidth = 3;

/** Every target day by day, whole and without a script. Pure. */
export function historyHtml(history: readonly HistoryView[], now: number): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Atalaya history</title>
        ${styleElement}
      </head>
      <body>
        <header>
          <div class="brand">Atalaya</div>
          <div class="small soft">as of ${showTime(now)}</div>
        </header>
        <main>
          <h2>The last ${historyDays} days, in UTC</h2>
          ${history.map((each) => targetHistory(each, now))}
          <p class="small soft">Uptime is the share of the known time; what nobody could tell, or nobody watched, is left out and grey.</p>
          <p><a href="/">Status page</a> · <a href="/api/history">JSON</a></p>
        </main>
      </body>
    </html>`.markup;
}

function targetHistory({ target, days, uptime_1d: day, uptime_30d: month, uptime_400d: all }: HistoryView, now: number): Html {
  const first = Math.floor(now / dayMs) - historyDays + 1;
  const bars = joinQuietDays(days).map((run) => runBar(run, (Date.parse(run.from.date) / dayMs - first) * barWidth));
  return html`<article class="panel card" data-history="${target}">
    <h3>${target}</h3>
    <p class="detail">today ${share(day)} · 30 days ${share(month)} · ${historyDays} days ${share(all)}</p>
    <svg class="spark" viewBox="0 0 ${historyDays * barWidth} 34" preserveAspectRatio="none" role="img" aria-label="${target} day by day">
      ${bars}
    </svg>
  </article>`;
}

/** Days that are told together: one of which there is something to say, or several without. */
type Run = { readonly from: DayView; to: DayView; count: number };

/** Most days are like the day before: a year of them is one bar, and the page stays small. */
function joinQuietDays(days: readonly DayView[]): Run[] {
  const runs: Run[] = [];
  for (const day of days) {
    const last = runs.at(-1);
    const isNext = last && Date.parse(day.date) - Date.parse(last.to.date) === dayMs;
    if (isNext && isQuiet(day) && isQuiet(last.to)) Object.assign(last, { to: day, count: last.count + 1 });
    else runs.push({ from: day, to: day, count: 1 });
  }
  return runs;
}

const littleMs = 300_000;
const isQuiet = ({ uptime, degraded_ms: degradedMs, unknown_ms: unknownMs }: DayView): boolean =>
  uptime === 1 && degradedMs === 0 && unknownMs < littleMs;

function runBar({ from, to, count }: Run, x: number): Html {
  const { uptime, down_ms: downMs, degraded_ms: degradedMs, unknown_ms: unknownMs } = from;
  const outcome = uptime === null ? 'faulty' : downMs > 0 ? 'failed' : degradedMs > 0 ? 'degraded' : 'ok';
  const told = [
    `${from.date}${count > 1 ? ` to ${to.date}` : ''}: ${share(uptime)}`,
    ...(downMs > 0 ? [`down ${showDuration(downMs)}`] : []),
    ...(degradedMs > 0 ? [`degraded ${showDuration(degradedMs)}`] : []),
    ...(unknownMs >= littleMs ? [`unknown ${showDuration(unknownMs)}`] : []),
  ];
  const width = count * barWidth - 0.6;
  return html`<rect class="${outcome}" x="${x}" y="2" width="${width}" height="30"><title>${told.join(', ')}</title></rect>`;
}

/** Never rounded up to 100 %: an outage of a second stays one. */
function share(uptime: number | null): string {
  if (uptime === null) return 'unknown';
  return uptime === 1 ? '100 %' : `${(Math.floor(uptime * 1e5) / 1e3).toFixed(3)} %`;
}
