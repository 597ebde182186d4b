import { createHash } from 'node:crypto';
import { raw } from '#lib/html.ts';

const styleSheet = `
:root {
  color-scheme: light dark;
  --page: #f4f6f8; --panel: #ffffff; --line: #dfe5eb; --ink: #16212e; --soft: #5b6b7c; --faint: #e9edf1;
  --up: #117845; --degraded: #94590a; --down: #c42b2b; --unknown: #5d6b7a;
  --up-bg: #e4f5ec; --degraded-bg: #fbf1d6; --down-bg: #fce8e7; --unknown-bg: #e8ecf0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0c131c; --panel: #141e2a; --line: #243140; --ink: #e6edf4; --soft: #93a3b4; --faint: #1e2a38;
    --up: #3ecf8e; --degraded: #e9b949; --down: #ff7a70; --unknown: #9aa8b7;
    --up-bg: #0f2c22; --degraded-bg: #31270f; --down-bg: #3a1a1a; --unknown-bg: #1f2a36;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main, header, footer { max-width: 68rem; margin: 0 auto; padding: 0 1.25rem; }
header { display: flex; align-items: center; justify-content: space-between; gap: 1rem; padding-top: 1.75rem; padding-bottom: 1.25rem; }
.brand { display: flex; align-items: center; gap: .7rem; font-weight: 650; font-size: 1.15rem; letter-spacing: .01em; }
.brand svg { width: 1.75rem; height: 1.75rem; }
.soft, time { color: var(--soft); }
.small { font-size: .875rem; }
.up { --tone: var(--up); --wash: var(--up-bg); }
.degraded { --tone: var(--degraded); --wash: var(--degraded-bg); }
.down { --tone: var(--down); --wash: var(--down-bg); }
.unknown { --tone: var(--unknown); --wash: var(--unknown-bg); }
.hero { background: var(--wash); border: 1px solid color-mix(in srgb, var(--tone) 28%, transparent); border-radius: 1rem; padding: 1.5rem 1.75rem; display: flex; gap: 1.25rem; align-items: center; }
.hero svg { flex: none; width: 3rem; height: 3rem; color: var(--tone); }
.hero h1 { margin: 0; font-size: 1.6rem; line-height: 1.25; letter-spacing: -.01em; }
.hero p { margin: .25rem 0 0; color: var(--soft); }
h2 { font-size: .95rem; font-weight: 650; margin: 2.25rem 0 .8rem; }
.grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(19rem, 1fr)); gap: 1rem; }
.panel { background: var(--panel); border: 1px solid var(--line); border-radius: .9rem; }
.card { padding: 1.15rem 1.25rem 1.1rem; display: flex; flex-direction: column; gap: .7rem; min-width: 0; }
.card-top { display: flex; justify-content: space-between; align-items: flex-start; gap: .75rem; }
.card h3 { margin: 0; font-size: 1.1rem; overflow-wrap: anywhere; }
.pill { background: var(--wash); color: var(--tone); border-radius: 99rem; padding: .1rem .7rem; font-size: .8rem; font-weight: 650; white-space: nowrap; }
.pill::before { content: ""; display: inline-block; width: .5em; height: .5em; border-radius: 50%; background: var(--tone); margin-right: .45em; vertical-align: .08em; }
.spark { display: block; width: 100%; height: 2.5rem; }
.spark rect { fill: var(--faint); }
.spark .ok { fill: var(--up); } .spark .degraded { fill: var(--degraded); } .spark .failed { fill: var(--down); } .spark .faulty { fill: var(--unknown); }
.detail { margin: 0; overflow-wrap: anywhere; font-size: .9rem; }
.facts { display: grid; grid-template-columns: repeat(3, auto); justify-content: space-between; gap: .25rem 1rem; margin: auto 0 0; padding-top: .75rem; border-top: 1px solid var(--line); }
.facts dt { color: var(--soft); font-size: .78rem; }
.facts dd { margin: 0; font-weight: 600; font-variant-numeric: tabular-nums; }
.list { list-style: none; margin: 0; padding: 0; }
.list li { display: grid; grid-template-columns: minmax(7rem, 10rem) minmax(12rem, 1fr) 13rem 6.5rem; gap: .25rem 1.25rem; padding: .85rem 1.25rem; align-items: baseline; }
.list li + li { border-top: 1px solid var(--line); }
.list .what { overflow-wrap: anywhere; }
.list .end { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; font-weight: 600; }
.columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(19rem, 1fr)); gap: 0 1rem; align-items: start; }
.columns .list li { grid-template-columns: 1fr auto; }
.services li, .planned li, .public-incidents li { grid-template-columns: 1fr auto; }
.services .bars { grid-column: 1 / -1; }
.facts-list li { grid-template-columns: minmax(8rem, 13rem) 1fr; }
.story li { grid-template-columns: minmax(8rem, 13rem) 1fr; border-left: .3rem solid var(--tone, var(--line)); }
.story li:first-child { border-top-left-radius: .9rem; } .story li:last-child { border-bottom-left-radius: .9rem; }
.moment strong { display: block; font-variant-numeric: tabular-nums; }
.span svg { display: block; width: 100%; height: .9rem; border-radius: 99rem; } .span rect { fill: var(--tone); } .span .mark { fill: var(--ink); }
.span p { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 1rem; margin: .35rem 0 0; }
.card > p { margin: 0; overflow-wrap: anywhere; }
.command { margin: 0; padding: .6rem .8rem; background: var(--page); border: 1px solid var(--line); border-radius: .5rem; font: .875rem/1.5 ui-monospace, "DejaVu Sans Mono", monospace; white-space: pre-wrap; overflow-wrap: anywhere; user-select: all; }
.steps { gap: .4rem; } .steps p + .command { margin-top: .5rem; }
summary { cursor: pointer; padding: .85rem 1.25rem; font-weight: 600; } details[open] summary { border-bottom: 1px solid var(--line); }
.post-mortem { border-left: .3rem solid var(--up); }
.note { margin-bottom: .8rem; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; margin: 0; }
.public-incidents .text { grid-column: 1 / -1; }
textarea, select { font: inherit; color: inherit; background: var(--page); border: 1px solid var(--soft); border-radius: .5rem; padding: .45rem .7rem; }
textarea { display: block; width: 100%; }
.filter { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: end; margin-bottom: 1rem; }
h1.plain { font-size: 1.3rem; margin: 1rem 0; }
[data-live] > .card { margin-bottom: 1rem; }
label { display: block; margin: 0 0 .4rem; }
input:not([type="hidden"], [type="checkbox"]) { font: inherit; color: inherit; background: var(--page); border: 1px solid var(--soft); border-radius: .5rem; padding: .45rem .7rem; width: 100%; max-width: 24rem; }
button { font: inherit; color: var(--panel); background: var(--ink); border: 0; border-radius: .5rem; padding: .5rem 1.1rem; cursor: pointer; }
button.link { color: inherit; background: none; padding: 0; text-decoration: underline; }
form.inline { display: inline; }
:focus-visible { outline: 3px solid var(--degraded); outline-offset: 2px; }
.empty { margin: 0; padding: 1.1rem 1.25rem; color: var(--soft); }
.warn { color: var(--down); }
footer { padding-top: 2rem; padding-bottom: 2.5rem; color: var(--soft); font-size: .85rem; }
a { color: inherit; }
h1.plain .pill { vertical-align: .25em; margin-left: .5rem; }
.ranges { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: 0; }
.card > p.small { margin: 0; }
.legend { margin: 0; padding: 0; border: 0; grid-template-columns: repeat(auto-fit, minmax(7rem, 1fr)); }
.legend .p50 { --tone: var(--up); } .legend .p95 { --tone: var(--degraded); }
.legend [class]:not([class=""]) dt::before { content: ""; display: inline-block; width: .8em; height: .2em; background: var(--tone); margin-right: .45em; vertical-align: .25em; }
figure { display: grid; grid-template-columns: auto minmax(0, 1fr); gap: .3rem .6rem; margin: 0; min-width: 0; }
figure.drawn { display: block; overflow: hidden; }
figure svg { width: 100%; height: 12.5rem; overflow: hidden; }
figure path { fill: none; stroke-width: 1.5; stroke-linejoin: round; stroke-linecap: round; vector-effect: non-scaling-stroke; }
figure .grid { stroke: var(--line); stroke-width: 1; } figure .band { stroke: none; fill: var(--degraded); opacity: .16; } figure .p95 { stroke: var(--degraded); stroke-width: 1; opacity: .7; } figure .p50 { stroke: var(--up); stroke-width: 2; }
.scale { display: flex; flex-direction: column; justify-content: space-between; text-align: right; }
figcaption { grid-column: 2; display: flex; justify-content: space-between; }
@media (max-width: 44rem) {
  .list li { grid-template-columns: 1fr auto; }
  .facts-list li, .story li { grid-template-columns: 1fr; }
  .incidents .what, .incidents .when { grid-column: 1 / -1; }
  .incidents .end { grid-row: 1; grid-column: 2; }
  header { flex-wrap: wrap; }
}
`;

/** The style sheet of the status page; part of the page, so that it needs nothing else. */
export const styleElement = raw(`<style>${styleSheet}</style>`);

/** What the content security policy lets the page use; over the element's text to the letter. */
export const styleHash = `sha256-${createHash('sha256').update(styleSheet).digest('base64')}`;
