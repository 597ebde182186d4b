import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { messageOf, UsageError } from '#lib/errors.ts';

/** The file of a run's folder that it is judged from, then or later, by the kind of run. */
export const runFiles = {
  plan: 'measurement.jsonl',
  gate: 'gate.json',
  compare: 'compare.json',
  pool: 'pool.json',
  ratelimit: 'ratelimit.json',
  'size-pool': 'size-pool.json',
} as const;

export type RunKind = keyof typeof runFiles;

/**
 * Makes the folder of a run, where there is none. What an earlier run left there to be judged goes.
 * @throws {UsageError} when it cannot be made or written to
 */
export function makeOutFolder(dir: string): void {
  orUsageError(dir, () => {
    makeFolder(resolve(dir));
    accessSync(dir, constants.W_OK);
    for (const file of Object.values(runFiles)) rmSync(join(dir, file), { force: true });
  });
}

/** @throws {UsageError} that names --out */
export function orUsageError<T>(dir: string, work: () => T): T {
  try {
    return work();
  } catch (err) {
    throw new UsageError(`--out ${dir} cannot be written: ${messageOf(err)}`, { cause: err });
  }
}

/** One level at a time: asked for all at once, Node tries for ever where /proc answers "no such folder" to the making of one. */
function makeFolder(dir: string): void {
  if (existsSync(dir)) return;
  makeFolder(dirname(dir));
  mkdirSync(dir);
}

type RecordedKind = Exclude<RunKind, 'plan'>;

/** Keeps what was played, all that a verdict follows from. */
export const writeRun = (dir: string, kind: RecordedKind, played: object): void =>
  writeFileSync(join(dir, runFiles[kind]), `${JSON.stringify({ version: 1, ...played })}\n`, { mode: 0o640 });

/**
 * Reads again what `writeRun` kept.
 * @throws {UsageError} when it is not there, is no such file, or is of another version
 */
export function readRun(dir: string, kind: RecordedKind): unknown {
  const path = join(dir, runFiles[kind]);
  const played = parse(path);
  if (played.version === 1) return played;
  throw new UsageError(`${path} is of version ${String(played.version)}; this program reads version 1`);
}

function parse(path: string): { readonly version?: unknown } {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as { version?: unknown };
  } catch (err) {
    throw new UsageError(`${path} cannot be read: ${messageOf(err)}`, { cause: err });
  }
}

/** What kind of run stands in a folder; undefined: none. */
export const kindOf = (dir: string): RunKind | undefined =>
  (Object.keys(runFiles) as RunKind[]).find((kind) => existsSync(join(dir, runFiles[kind])));
