import { availableParallelism } from 'node:os';
import * as z from 'zod';
import type { Arguments } from '#lib/command-line.ts';
import { integer, readEnv } from '#lib/env.ts';
import { UsageError } from '#lib/errors.ts';
import { poolEnv } from '#lib/settings.ts';
import { parseDuration } from '#lib/show.ts';
import { playRun, type CommandContext, type MakeVerb, type Run } from '../command.ts';
import { readRun, writeRun } from '../measurement/run-folder.ts';
import { wholeNumber } from '../options.ts';
import type { RunReport } from '../report/run-report.ts';
import { openBench, type BenchOptions } from './bench.ts';
import { conclude } from './conclusion.ts';
import { nextStep, type Question } from './next-step.ts';
import { sizingReport } from './report.ts';
import type { Played } from './window.ts';

const known = {
  sizes: { type: 'string' },
  users: { type: 'string' },
  window: { type: 'string' },
  seed: { type: 'string' },
  out: { type: 'string' },
  json: { type: 'boolean' },
} as const;

const defaultSizes = '1,2,3,4,6,8,12,16,24';
const defaultWindowMs = 3_000;

const footer = `Always on a throw-away stack: the API is started anew with every size, in rounds of a random order, under users who
never pause. What runs now is DB_POOL_SIZE and DB_MAX_OVERFLOW of the environment, in API_WORKERS processes.

Options:
  --sizes 1,2,4,8     connections of one API process that are tried; default ${defaultSizes}
  --users 96          users; default twice as many as connections at most
  --window 3s         how long each size is measured in a round
  --seed N            the same order and the same requests
  --out DIR           where the reports go; default loadtest/reports/<time>-size-pool
  --json              print the result as JSON

Exit codes: 0 PASS, what is configured does as well · 99 FAIL, it loses · 75 INVALID, no size is recommended · 64, 78 usage, settings`;

/** `npm run loadtest -- size-pool`. */
export const sizePoolVerb: MakeVerb = (context) => ({
  synopsis: '[options]',
  summary: 'Finds the smallest connection pool that does as well as the best, applies it and measures it again.',
  options: known,
  footer,
  positionals: [0, 0],
  run: (args) => playRun(readRequest(args, context), args, context),
});

const workersEnv = { ...poolEnv, API_WORKERS: integer(1, 64).optional() } satisfies z.ZodRawShape;

function readRequest(args: Arguments, context: CommandContext): Run {
  const text = (name: keyof typeof known): string | undefined => (typeof args.flags[name] === 'string' ? args.flags[name] : undefined);
  const settings = readEnv(workersEnv, context.env);
  const sizes = parseSizes(text('sizes') ?? defaultSizes);
  const workers = settings.API_WORKERS ?? Math.min(4, availableParallelism());
  const seed = wholeNumber('--seed', text('seed'), 0, 4_294_967_295) ?? context.randomSeed;
  const question: Question = { sizes, configured: { size: settings.DB_POOL_SIZE, overflow: settings.DB_MAX_OVERFLOW }, seed };
  const users = wholeNumber('--users', text('users'), 1, 2_000) ?? 2 * workers * Math.max(...sizes);
  const windowMs = parseWindow(text('window'));
  return {
    name: 'size-pool',
    play: async (dir, { env, signal, now }, progress) => {
      const onStep = (step: string): void => progress.update(`size-pool: ${step}…`);
      const keep = (played: readonly Played[]): void =>
        writeRun(dir, 'size-pool', { startedAt: now.toISOString(), question, users, workers, played } satisfies SizingRun);
      await playWindows(question, { env, signal, onStep, users, workers, windowMs, seed }, keep);
    },
    judge: judgeSizing,
  };
}

type SizingRun = {
  readonly startedAt: string;
  readonly question: Question;
  readonly users: number;
  readonly workers: number;
  readonly played: readonly Played[];
};

/** The verdict of the windows in a folder. @throws {UsageError} when that is no run of size-pool */
export async function judgeSizing(dir: string): Promise<RunReport> {
  const { startedAt, question, users, workers, played } = readRun(dir, 'size-pool') as SizingRun;
  const end = nextStep(played, question);
  if (end.kind === 'play') throw new UsageError(`${dir} holds a sizing that needs more windows than were played`);
  return sizingReport(conclude(question, { users, workers }, played, end), startedAt);
}

/**
 * Plays windows until they answer the question, or show that they cannot.
 * @param keep takes all that were played, after each @throws what the bench and keeping throw
 */
async function playWindows(question: Question, options: BenchOptions, keep: (played: readonly Played[]) => void): Promise<void> {
  const bench = await openBench(options);
  const played: Played[] = [];
  try {
    for (let next = nextStep(played, question); next.kind === 'play'; next = nextStep(played, question)) {
      const { setting, stage, round } = next;
      const last = played.at(-1);
      const before = last ? ` · ${last.setting.size}+${last.setting.overflow}: ${last.perSecond.toFixed(0)}/s` : '';
      options.onStep(`${stage}, round ${round + 1}, ${setting.size}+${setting.overflow} connections${before}`);
      played.push({ ...(await bench.play(setting)), stage, round });
      keep(played);
    }
  } finally {
    options.onStep('stopping the stack');
    await bench.stop();
  }
}

function parseSizes(text: string): number[] {
  const sizes = text.split(',').map((part) => (/^\d+$/.test(part.trim()) ? Number(part) : Number.NaN));
  const isAscending = sizes.every((size, i) => size >= 1 && size <= 90 && (i === 0 || size > (sizes[i - 1] ?? 0)));
  if (isAscending && sizes.length >= 3) return sizes;
  throw new UsageError(`--sizes ${text} must be three whole numbers or more, ascending, from 1 to 90, such as 1,2,4,8`);
}

function parseWindow(text: string | undefined): number {
  if (text === undefined) return defaultWindowMs;
  const ms = parseDuration(text);
  if (ms !== undefined && ms >= 1_000 && ms <= 60_000) return ms;
  throw new UsageError(`--window ${text} must be a duration from 1s to 60s`);
}
