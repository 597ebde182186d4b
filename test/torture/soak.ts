import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { showBytes } from '#lib/show.ts';
import { slopeOf } from '#loadtest/judge/growth.ts';
import { copySource, type Replacement } from '../zoo/copy-source.ts';
import { playRound, type RoundResult } from './round.ts';
import { openStack, type Stack } from './stack.ts';

/** The stack under the same clients, at a steady rate and with no faults: whether its processes keep their size. */

export type SoakOptions = {
  readonly seed: number;
  readonly durationMs: number;
  /** Requests after the warm-up, as long as the stack answers that many. */
  readonly perSecond: number;
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
};

/** One look at one process. */
export type Look = {
  readonly process: string;
  readonly second: number;
  /** Of its heap and what belongs to it, all garbage collected. */
  readonly heapBytes: number;
  readonly residentBytes: number;
};

export type SoakResult = {
  readonly round: RoundResult;
  readonly perSecond: number;
  readonly sizes: readonly Size[];
  /** What the sizes are of, so that they can be judged again. */
  readonly looks: readonly Look[];
};

/** How one figure of one process went after the warm-up; bytes a second, with an interval of 99.9 %. */
export type Size = {
  readonly process: string;
  readonly figure: 'heap' | 'resident';
  readonly looks: number;
  /** Half minutes of them, whose medians are what `slope` goes through, and `firstBytes` and `lastBytes` are of. */
  readonly blocks: number;
  readonly firstBytes: number;
  readonly lastBytes: number;
  readonly slope: { readonly least: number; readonly median: number; readonly most: number };
};

const lookEveryMs = 5_000;

/**
 * A minute of the rate limit lasts a second. What it counts for an hour is kept for one or two, so that its memory grows through
 * any soak that is shorter; this way it comes and goes within the warm-up, and what is never dropped still grows.
 */
export const shortMinutes: Replacement = {
  file: 'api/http/rate-policy.ts',
  find: 'const minuteMs = 60_000;',
  put: 'const minuteMs = 1_000;',
};

export async function soak({ perSecond, ...options }: SoakOptions): Promise<SoakResult> {
  const dir = await mkdtemp(join(tmpdir(), 'atalaya-soak-'));
  const source = await copySource(shortMinutes);
  try {
    const heaps = join(dir, 'heaps');
    await mkdir(heaps);
    const env = { SOAK_HEAP: heaps, SOAK_COMPILES_MS: `${options.durationMs * hurried}` };
    const stack = await openStack({ dir, root: source.dir, imports: [join(import.meta.dirname, 'heap.ts')], logsBytes: 2 ** 30, env });
    const looks: Look[] = [];
    const startedMs = performance.now();
    const timer = setInterval(
      () => void lookAtAll(stack, heaps, (performance.now() - startedMs) / 1_000).then((seen) => looks.push(...seen)),
      lookEveryMs,
    );
    try {
      const round = await playRound(stack, {
        ...options,
        faults: [],
        perSecond: (playedMs) => paceAt(playedMs / options.durationMs, perSecond),
      });
      return { round, perSecond, sizes: sizesOf(looks, (performance.now() - startedMs) / 1_000), looks };
    } finally {
      clearInterval(timer);
      await stack.close();
    }
  } finally {
    await source.remove();
    await rm(dir, { recursive: true, force: true });
  }
}

async function lookAtAll({ pids }: Stack, heaps: string, second: number): Promise<Look[]> {
  const processes = [['primary', pids.primary()] as const, ...pids.workers().map((pid, index) => [`worker ${index + 1}`, pid] as const)];
  const looks = await Promise.all(
    processes.map(async ([process, pid]) => {
      const text = await readFile(join(heaps, `${pid}`), 'utf8').catch(() => undefined);
      return text === undefined ? [] : [{ process, second, ...(JSON.parse(text) as Pick<Look, 'heapBytes' | 'residentBytes'>) }];
    }),
  );
  return looks.flat();
}

/** Share of the time in which the clients ask as fast as they can and V8 compiles, which it does by how often code ran. */
const hurried = 0.2;

/** Requests a second at most, at that share of the play. Pure. */
export const paceAt = (share: number, perSecond: number): number => (share < hurried ? Infinity : perSecond);

/** Share of the time in which caches fill, code is compiled, and what that took is given back. */
const warmUp = 0.3;

/**
 * Looks are taken together by half minutes, each standing as its median: memory moves in steps that stay for a while, and
 * looks right after one another, taken for independent, would count one step many times.
 */
const blockSeconds = 30;
/** With fewer no slope can be told from chance. */
const leastBlocks = 8;
/** A shorter soak could only ever be called flat. */
export const leastSoakSeconds = Math.ceil(((leastBlocks + 1) * blockSeconds) / (1 - warmUp));

type Point = { readonly second: number; readonly bytes: number };

function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (rank: number): number => sorted[rank] ?? Number.NaN;
  return (at(Math.floor((sorted.length - 1) / 2)) + at(Math.ceil((sorted.length - 1) / 2))) / 2;
}

/** Pure. */
function blocksOf(points: readonly Point[]): Point[] {
  const blocks = Map.groupBy(points, ({ second }) => Math.floor(second / blockSeconds));
  return [...blocks.values()].map((own) => ({
    second: medianOf(own.map(({ second }) => second)),
    bytes: medianOf(own.map(({ bytes }) => bytes)),
  }));
}

/** Pure. @param endSecond of the play */
export function sizesOf(looks: readonly Look[], endSecond: number): Size[] {
  const settled = looks.filter(({ second }) => second >= endSecond * warmUp && second <= endSecond);
  return [...Map.groupBy(settled, ({ process }) => process)].flatMap(([process, own]) =>
    (['heap', 'resident'] as const).map((figure): Size => {
      const points = blocksOf(own.map((look) => ({ second: look.second, bytes: look[`${figure}Bytes`] })));
      const [up, down] = [slopeOf(points), slopeOf(points.map(({ second, bytes }) => ({ second, bytes: -bytes })))];
      const [first, last] = [points[0]?.bytes ?? 0, points.at(-1)?.bytes ?? 0];
      const slope = { least: up.least, median: up.median, most: 0 - down.least };
      return { process, figure, looks: own.length, blocks: points.length, firstBytes: first, lastBytes: last, slope };
    }),
  );
}

/** Flat is what shrinks, or may stand still; of what was looked at for too short a time nothing can be told. Pure. */
export function verdictOn({ blocks, slope }: Size): 'GROWS' | 'flat' | 'too short' {
  if (blocks < leastBlocks) return 'too short';
  return slope.least > 0 ? 'GROWS' : 'flat';
}

const rate = (bytes: number): string => `${bytes < 0 ? '−' : ''}${showBytes(Math.abs(Math.round(bytes)))}/s`;

/** One line for people. Pure. */
export const tellSize = ({ process, figure, looks, blocks, firstBytes, lastBytes, slope }: Size): string =>
  `${process}, ${figure === 'heap' ? 'heap after collection' : 'resident memory'}: ${showBytes(firstBytes)} → ${showBytes(lastBytes)}, ` +
  `${rate(slope.median)} (${rate(slope.least)} to ${rate(slope.most)}) in ${blocks} half minutes of ${looks} looks`;
