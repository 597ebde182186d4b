import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { html, raw, type Html } from '#lib/html.ts';
import type { Verdict } from '../judge/verdict.ts';

export type Page = {
  readonly title: string;
  /** Gives the page its colour. */
  readonly verdict?: Verdict;
  /** What its content policy allows besides its own styles; default: nothing. */
  readonly allows?: string;
  readonly styles: Html;
  /** What stands in `main`. */
  readonly content: Html;
  readonly scripts?: readonly Html[];
};

/** A page that needs nothing beside itself: styles and scripts stand in it, and its content policy forbids it to load anything. */
export const pageOf = ({ title, verdict, allows = '', styles, content, scripts = [] }: Page): string =>
  html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'${allows}" />
        <title>${title}</title>
        <style>
          ${styles}
        </style>
      </head>
      <body class="${verdict?.toLowerCase()}">
        <main>${content}</main>
        ${scripts}
      </body>
    </html> `.markup;

const read = async (path: string): Promise<Html> => raw(await readFile(path, 'utf8'));

/** The style sheet of all pages. */
export const readStyles = (): Promise<Html> => read(join(import.meta.dirname, 'page.css'));

/** What a page with charts allows. */
export const chartsAllow = "; script-src 'unsafe-inline'; img-src data:";

/**
 * What a page with charts holds besides: the style sheet of uPlot, uPlot with its license (MIT), the kit, and the script that draws.
 * @param script path of that script
 */
export async function readChartAssets(script: string): Promise<{ readonly styles: Html; readonly scripts: readonly Html[] }> {
  const uplot = dirname(createRequire(import.meta.url).resolve('uplot'));
  const [uplotStyles, styles, library, license, kit, drawing] = await Promise.all([
    read(join(uplot, 'uPlot.min.css')),
    readStyles(),
    read(join(uplot, 'uPlot.iife.min.js')),
    read(join(uplot, '..', 'LICENSE')),
    read(join(import.meta.dirname, 'chart-kit.js')),
    read(script),
  ]);
  const scripts = [
    html`<script>
      /*
      ${license}
      */
      ${library};
    </script>`,
    ...[kit, drawing].map(
      (text) =>
        html`<script type="module">
          ${text};
        </script>`,
    ),
  ];
  return { styles: raw(uplotStyles.markup + styles.markup), scripts };
}
