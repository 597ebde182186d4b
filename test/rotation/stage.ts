import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '#lib/logger.ts';
import type { Random } from '#loadtest/generate/random.ts';
import { diskLogFiles } from '#monitor/logs/log-files.ts';
import { createRotation, type Rotation } from '#monitor/logs/rotation.ts';
import { openDatabase } from '#monitor/store/database.ts';
import { createStore } from '#monitor/store/open-store.ts';
import { accountFor, type Account } from './account.ts';
import { startWriter, untilWriting } from './writers.ts';

export type ArmOptions = {
  readonly rotations: number;
  /** Over all writers. */
  readonly linesPerSecond: number;
  readonly random: Random;
  /** Called after each rotation. */
  readonly onRotated: () => void;
};

/** What an arm came to. */
export type Outcome = Account & {
  readonly rotations: number;
  readonly lines: number;
  /** Lines that writers gave up since the disk took none, and counted. */
  readonly dropped: number;
  readonly seconds: number;
  /** What else is to be told of it. */
  readonly remark?: string;
  /** What went wrong besides. */
  readonly faults: readonly string[];
};

/** How often each writer looks at its paths: who takes his time has to be waited for. */
const followEveryMs = [20, 120, 500] as const;
/** Who writes this seldom does not show in the size of a file that he still writes to. */
const seldomPerSecond = 30;
export const never = new AbortController().signal;

/** What an arm did while lines were written. */
export type Done = Pick<Outcome, 'rotations' | 'faults' | 'remark'>;

/**
 * Has three processes write numbered lines to a folder while something is done to it, and accounts for each of them.
 * @param work is done while they write
 * @param settle is done after they have ended; @returns what is wrong then
 */
export async function whileWriting(
  dir: string,
  { linesPerSecond }: ArmOptions,
  { work, settle = async () => [] }: { readonly work: () => Promise<Done>; readonly settle?: () => Promise<readonly string[]> },
): Promise<Outcome> {
  const busy = (linesPerSecond - seldomPerSecond) / 2;
  const writers = [busy, busy, seldomPerSecond].map((rate, index) =>
    startWriter(dir, index + 1, { linesPerSecond: rate, followMs: followEveryMs[index] ?? 20 }),
  );
  try {
    await untilWriting(dir, writers.length);
    const startedMs = performance.now();
    const done = await work();
    const written = await Promise.all(writers.map(({ finish }) => finish()));
    const seconds = (performance.now() - startedMs) / 1_000;
    const faults = [...done.faults, ...(await settle())];
    const lines = written.map((each) => each.lines);
    const account = await accountFor(dir, lines);
    return { ...done, ...account, faults, lines: sum(lines), dropped: sum(written.map(({ dropped }) => dropped)), seconds };
  } finally {
    for (const { child } of writers) child.kill('SIGKILL');
  }
}

const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);

/** A folder for as long as something is done in it. */
export async function inFolder<T>(work: (dir: string) => Promise<T>): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'atalaya-rotation-'));
  try {
    return await work(dir);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** The monitor's own rotation of access.log, which is due at each run, and how often it has renamed the file. */
export function alwaysDue(dir: string): Rotation & { readonly renames: () => number; readonly close: () => void } {
  const store = createStore(openDatabase(':memory:'));
  let renames = 0;
  const countedFiles = {
    ...diskLogFiles,
    rename: async (from: string, to: string) => {
      await diskLogFiles.rename(from, to);
      if (from.endsWith('.log')) renames += 1;
    },
  };
  const rotation = createRotation(
    { name: 'logs', dir, files: ['access.log'], time: { hour: 0, minute: 0 }, keep: 100_000 },
    {
      files: countedFiles,
      jobRuns: { ...store.jobRuns, recent: () => [] },
      clock: () => ({ at: Date.now(), clockMs: performance.now() }),
      logger: createLogger('rotation', { LOG_LEVEL: 'silent', LOG_FORMAT: 'json' }),
    },
  );
  return { ...rotation, renames: () => renames, close: () => store.close() };
}

/** Has everything compressed that may be, once nobody writes any more. @returns what the rotation complains of */
export async function settled({ run, probe }: Rotation): Promise<readonly string[]> {
  await run(never);
  const { outcome, detail } = await probe(never);
  return outcome === 'ok' ? [] : [detail];
}
