import type { StatsFs } from 'node:fs';
import { statfs } from 'node:fs/promises';
import * as z from 'zod';
import { messageOf } from '#lib/errors.ts';
import { showBytes, showDuration, showShare } from '#lib/show.ts';
import { amount, orNever, type Amount } from './fields.ts';
import { MonitorFaultError, probeKind, type Probe, type ProbeReport } from './probe.ts';
import { createTrend, timeToFull } from './trend.ts';
import type { Sentence } from '../words/sentence.ts';

export type DiskTarget = {
  /** Any folder of the file system. */
  readonly path: string;
  /** Less free than this degrades the target, or fails it. */
  readonly warnBelow: Amount;
  readonly failBelow: Amount;
  /** Degraded too when it surely fills up within this time, in ms. */
  readonly fullWithin: number;
};

export const diskKind = probeKind({
  kind: 'disk',
  schema: {
    path: z.string().min(1).describe('Any folder of the file system that is watched.'),
    warnBelow: amount().prefault('15%').describe('Free space below which the target is degraded: a share, or an amount.'),
    failBelow: amount().prefault('5%').describe('Free space below which it has failed.'),
    fullWithin: orNever(60_000)
      .prefault('2d')
      .describe('Degraded when its pace fills it within this time, and within the time it was watched; never: not asked.'),
  },
  create: (fields) => diskProbe(fields),
  describe: ({ path }) => path,
});

/** A probe over the free space of a file system of this machine, and how fast it goes. */
function diskProbe(target: DiskTarget): Probe {
  const used = createTrend();
  return async () => {
    const stats = await statfs(target.path).catch((err: unknown) => {
      throw new MonitorFaultError(`${target.path} cannot be looked at: ${messageOf(err)}`, { cause: err });
    });
    used.add({ atMs: performance.now(), amount: (stats.blocks - stats.bfree) * stats.bsize });
    return judgeDisk(target, stats, timeToFull(used.samples(), stats.bavail * stats.bsize));
  };
}

type DiskStats = Pick<StatsFs, 'bsize' | 'blocks' | 'bfree' | 'bavail' | 'files' | 'ffree'>;

/**
 * What a file system has left, as `df` counts it: without what only the superuser may use. `filling`: when it surely is full, at the
 * pace of the time watched. Pure.
 */
export function judgeDisk(
  { path, warnBelow, failBelow, fullWithin }: DiskTarget,
  stats: DiskStats,
  filling?: ReturnType<typeof timeToFull>,
): ProbeReport {
  const freeBytes = stats.bavail * stats.bsize;
  const share = stats.bavail / Math.max(1, stats.blocks - stats.bfree + stats.bavail);
  // Some file systems do not count files.
  const fileShare = stats.files > 0 ? stats.ffree / stats.files : 1;
  const isBelow = (limit: Amount): boolean => ('bytes' in limit ? freeBytes < limit.bytes : Math.min(share, fileShare) < limit.share);
  const files = fileShare < share ? `, and room for ${showShare(fileShare)} of its files` : '';
  const isFilling = filling !== undefined && filling.leftMs <= fullWithin;
  const pace = isFilling
    ? `; at the pace of the last ${showDuration(filling.watchedMs)} it is full within ${showDuration(filling.leftMs)}`
    : '';
  const detail = `${path} has ${showBytes(freeBytes)} free, ${showShare(share)}${files}${pace}`;
  const nextStep: Sentence = { code: 'seeDisk', path };
  const isFull = freeBytes === 0 || (stats.files > 0 && stats.ffree === 0);
  if (isBelow(failBelow)) return { outcome: 'failed', cause: { code: 'diskFull', path, isFull }, detail, nextStep };
  if (!isBelow(warnBelow) && !isFilling) return { outcome: 'ok', detail };
  return { outcome: 'degraded', cause: { code: 'diskFills', path }, detail, nextStep };
}
