import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { raw, type Html } from '#lib/html.ts';

const read = (path: string): Promise<string> => readFile(path, 'utf8');

/**
 * What a page with charts holds in itself: its style sheet, uPlot with its license, and the script that draws.
 * @param script path of that script
 */
export async function readChartAssets(script: string): Promise<{ readonly styles: Html; readonly library: Html; readonly page: Html }> {
  const uplot = dirname(createRequire(import.meta.url).resolve('uplot'));
  const [uplotStyles, styles, library, license, page] = await Promise.all([
    read(join(uplot, 'uPlot.min.css')),
    read(join(import.meta.dirname, 'page.css')),
    read(join(uplot, 'uPlot.iife.min.js')),
    read(join(uplot, '..', 'LICENSE')),
    read(script),
  ]);
  return { styles: raw(uplotStyles + styles), library: raw(`/*\n${license}\n*/\n${library}`), page: raw(page) };
}
