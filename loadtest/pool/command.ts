import type { Progress } from '#lib/command-line.ts';
import { playRun, type MakeVerb, type Run } from '../command.ts';
import { readRun, writeRun } from '../measurement/run-folder.ts';
import { wholeNumber } from '../options.ts';
import type { RunReport } from '../report/run-report.ts';
import { onTarget } from '../target-command.ts';
import type { Target } from '../targets/target.ts';
import { concludeOn, poolReport } from './conclusion.ts';
import { mostOf, type Recording, type Settings } from './recording.ts';
import { openShopPort } from './shop-port.ts';
import { playSuite } from './suite.ts';

const known = { out: { type: 'string' }, json: { type: 'boolean' }, requests: { type: 'string' } } as const;

const usualLeakRequests = 1_000;

const footer = `Always on a throw-away stack whose pools are small, so that each property is really put to the test: connections are held by
a lock, abandoned by their clients, and ended by the database. The run takes about a minute and a half.

Options:
  --requests ${usualLeakRequests}     how often each kind of request is made when leaks are looked for
  --out DIR           where recording and reports go; default loadtest/reports/<time>-pool
  --json              print the result as JSON

Exit codes: 0 PASS · 99 FAIL · 75 INVALID, the run proves nothing · 64, 78 usage, settings`;

/** Small enough that a few clients fill them, and short enough that all of it is seen. */
export const testedSettings: Settings = { workers: 2, size: 2, overflow: 2, timeoutMs: 2_000, recycleMs: 20_000, idleMs: 10_000 };

/** The pool of an API process as its environment says it. */
export const environmentOf = ({ workers, size, overflow, timeoutMs, recycleMs }: Settings): Record<string, string> => ({
  API_WORKERS: String(workers),
  DB_POOL_SIZE: String(size),
  DB_MAX_OVERFLOW: String(overflow),
  DB_POOL_TIMEOUT: String(timeoutMs / 1_000),
  DB_POOL_RECYCLE: String(recycleMs / 1_000),
});

/** `npm run loadtest -- pool`. */
export const poolVerb: MakeVerb = (context) => ({
  synopsis: '[options]',
  summary: 'Puts the properties P1–P14 of a connection pool to the test: cap, timeouts, overload, leaks, lost sessions, fairness.',
  options: known,
  footer,
  positionals: [0, 0],
  run: (args) => {
    const { requests } = args.flags;
    const asked = wholeNumber('--requests', typeof requests === 'string' ? requests : undefined, 8, 1_000_000);
    return playRun(poolRun(asked), args, context);
  },
});

/** The pool of a throw-away stack under duress. */
export const poolRun = (leakRequests = usualLeakRequests): Run => ({
  name: 'pool',
  play: (dir, context, progress) =>
    onTarget(undefined, { ...context, env: { ...context.env, ...environmentOf(testedSettings) } }, progress, async (target) => {
      const options = { settings: testedSettings, leakRequests, signal: context.signal };
      writeRun(dir, 'pool', { startedAt: context.now.toISOString(), recording: await playPool(target, options, progress) });
    }),
  judge: judgePool,
});

/** The verdict of what was recorded in a folder. @throws {UsageError} when that is no run of pool */
export async function judgePool(dir: string): Promise<RunReport> {
  const { startedAt, recording } = readRun(dir, 'pool') as { startedAt: string; recording: Recording };
  return poolReport(concludeOn(recording), startedAt);
}

export type PoolOptions = { readonly settings: Settings; readonly leakRequests: number; readonly signal: AbortSignal };

/** Plays everything against the shop of an own stack, whose pools are set like that. */
export async function playPool(target: Target, { settings, leakRequests, signal }: PoolOptions, progress: Progress): Promise<Recording> {
  progress.update('pool: preparing the shop…');
  const { port, close } = await openShopPort(target, 4 * mostOf(settings), signal);
  try {
    return await playSuite({ settings, port, leakRequests, onStage: (name) => progress.update(`pool: ${name}…`) });
  } finally {
    await close();
  }
}
