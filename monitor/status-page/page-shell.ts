import { html, raw, type Html } from '#lib/html.ts';
import { styleElement } from './status-style.ts';

export type Shell = {
  readonly language: string;
  readonly title: string;
  /** What stands at the right of the name, as the time. */
  readonly aside?: Html;
  readonly head?: Html;
  readonly main: Html;
  /** What stands below it, and stays as somebody left it while the page is live, such as a form. */
  readonly form?: Html | undefined;
  readonly footer?: Html;
  /** Undefined: the page stays as it was loaded. */
  readonly live?: LivePage;
};

/** A page that is fetched anew when `events` tells it that there is something new; without a script it reloads itself. */
export type LivePage = { readonly events: string; readonly reloadSeconds: number };

/** A page, whole: what all of them have around what each shows. Nothing is loaded from elsewhere. Pure. */
export const pageShell = ({ language, title, aside, head, main, form, footer, live }: Shell): string =>
  html`<!doctype html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        ${live && liveHead(live)} ${head} ${styleElement}
      </head>
      <body>
        <header>
          <div class="brand">${tower}<span>Atalaya</span></div>
          ${aside}
        </header>
        <main>
          <div data-live>${main}</div>
          ${form}
        </main>
        ${footer && html`<footer>${footer}</footer>`}
      </body>
    </html> `.markup;

const liveHead = ({ events, reloadSeconds }: LivePage): Html =>
  html`<noscript><meta http-equiv="refresh" content="${reloadSeconds}" /></noscript>
    <script src="/live.js" data-events="${events}" defer></script>`;

const tower = raw(
  '<svg viewBox="0 0 32 32" fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round" stroke-linecap="round" aria-hidden="true"><path d="M9 10V5h3v2h2.500V5h3v2H20V5h3v5l-2 3v14H11V13z"/><path d="M7 27h18M16 27v-5M16 15v2"/></svg>',
);
