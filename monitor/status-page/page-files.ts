import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

type PageFile = { readonly type: string; readonly read: () => string };

const own = (name: string) => (): string => readFileSync(join(import.meta.dirname, 'browser', name), 'utf8');

const ofUplot = (name: string) => (): string => {
  const folder = dirname(createRequire(import.meta.url).resolve('uplot'));
  const license = readFileSync(join(folder, '..', 'LICENSE'), 'utf8');
  return `/*\n${license}*/\n${readFileSync(join(folder, name), 'utf8')}`;
};

/** What pages load besides themselves, by path: from here alone, as their content policy has it. Read when first asked for. */
export const pageFiles: Readonly<Record<string, PageFile>> = {
  '/live.js': { type: 'text/javascript; charset=utf-8', read: own('live.js') },
  '/chart.js': { type: 'text/javascript; charset=utf-8', read: own('chart.js') },
  '/uplot.js': { type: 'text/javascript; charset=utf-8', read: ofUplot('uPlot.iife.min.js') },
  '/uplot.css': { type: 'text/css; charset=utf-8', read: ofUplot('uPlot.min.css') },
};
