import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Fact } from '../model/look.ts';
import { describeLine } from '../probes/log.ts';
import type { Source } from './source.ts';

const tailBytes = 64 * 1024;
const mostLines = 3;
const recentMs = 5 * 60_000;

/** The last different errors of the logs of an API, from the end of its error.log. */
export const errorLines = (dir: string, now: () => number): Source => ({
  name: `error.log in ${dir}`,
  look: async () => ({ facts: describeErrors(dir, await tailOf(join(dir, 'error.log')), now()) }),
});

/** The end of a file, from a whole line on; nothing where there is none. */
async function tailOf(path: string): Promise<string> {
  const file = await open(path, 'r').catch((err: NodeJS.ErrnoException) => {
    if (err.code === 'ENOENT') return undefined;
    throw err;
  });
  if (!file) return '';
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - tailBytes);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(size, tailBytes)), 0, Math.min(size, tailBytes), start);
    // What describeLine makes UTF-8 of.
    const text = buffer.toString('latin1', 0, bytesRead);
    return start === 0 ? text : text.slice(text.indexOf('\n') + 1);
  } finally {
    await file.close();
  }
}

/** How many errors the last minutes had, and the last of them that differ. Pure. */
export function describeErrors(dir: string, text: string, now: number): Fact[] {
  const recent = text.split('\n').filter((line) => line !== '' && now - timeOf(line) < recentMs);
  if (recent.length === 0) return [];
  const differing = [...new Set(recent.map(describeLine))].slice(-mostLines);
  return [
    ['Errors', { code: 'errorsCount', count: recent.length, dir, inMs: recentMs }],
    ...differing.map((line): Fact => ['Error', line]),
  ];
}

/** A line without a time is as old as can be. */
const timeOf = (line: string): number => Date.parse(/"time":"([^"]+)"/.exec(line)?.[1] ?? '') || 0;
