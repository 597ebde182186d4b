import { html, raw, type Html } from '#lib/html.ts';
import { styleElement } from './status-style.ts';

export type Shell = {
  readonly language: string;
  readonly title: string;
  /** What stands at the right of the name, as the time. */
  readonly aside?: Html;
  readonly head?: Html;
  readonly main: Html;
  readonly footer?: Html;
};

/** A page, whole: what all of them have around what each shows. Nothing is loaded from elsewhere. Pure. */
export const pageShell = ({ language, title, aside, head, main, footer }: Shell): string =>
  html`<!doctype html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        ${head} ${styleElement}
      </head>
      <body>
        <header>
          <div class="brand">${tower}<span>Atalaya</span></div>
          ${aside}
        </header>
        <main>${main}</main>
        ${footer && html`<footer>${footer}</footer>`}
      </body>
    </html> `.markup;

const tower = raw(
  '<svg viewBox="0 0 32 32" fill="none" stroke="currentColor" stroke-width="2" stroke-linejoin="round" stroke-linecap="round" aria-hidden="true"><path d="M9 10V5h3v2h2.500V5h3v2H20V5h3v5l-2 3v14H11V13z"/><path d="M7 27h18M16 27v-5M16 15v2"/></svg>',
);
