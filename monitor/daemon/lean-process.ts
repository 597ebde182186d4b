import { readdirSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { join } from 'node:path';

/** Counts the replacements, so that they end whatever happens. */
const stageVariable = 'ATALAYA_LEAN_STAGE';

/** A small heap for young objects, and no optimising compilers: a few looks a second need neither. */
const leanFlags = ['--max-semi-space-size=1', '--no-opt', '--no-maglev', '--no-sparkplug'];

export type LeanProcess = {
  /** Folder for compiled code. */
  readonly cacheDir: string;
  /** The program this process runs. */
  readonly script: string;
  readonly env: Readonly<Record<string, string | undefined>>;
};

/**
 * Replaces this process by one that needs 87 MB instead of 130, under the same pid and on the same streams; returns where
 * that cannot help any more. Node strips types with a compiler that stays in memory, unless every file comes from the
 * compile cache, and it is set up for servers that compute. Both can only be chosen when a process begins.
 * 1. A process without the cache is replaced by one with it.
 * 2. If `load` had to fill the cache, that process is replaced once more, now served from it.
 * @param load imports the program's modules
 */
export async function becomeLean(lean: LeanProcess, load: () => Promise<unknown>): Promise<void> {
  const stage = Number(lean.env[stageVariable] ?? 0);
  if (!process.execve || stage >= 2) return;
  if (stage === 1) {
    const before = countFiles(lean.cacheDir);
    await load();
    flushCompileCache();
    if (countFiles(lean.cacheDir) === before) return;
  }
  const env = { ...lean.env, NODE_COMPILE_CACHE: lean.cacheDir, [stageVariable]: String(stage + 1) };
  const set = Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const args = [process.execPath, ...leanFlags, '--disable-warning=ExperimentalWarning', lean.script];
  process.execve(process.execPath, args, Object.fromEntries(set));
}

/** Files anywhere below the folder; none where it does not exist. */
function countFiles(dir: string): number {
  try {
    return readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()).length;
  } catch {
    return 0;
  }
}

/** The cache stands beside the monitor's store: the one folder it may surely write to. */
export const compileCacheDir = (dataDir: string): string => join(dataDir, 'compile-cache');
