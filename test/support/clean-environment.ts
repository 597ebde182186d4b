import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const kept = /^(HOME|LANG|TMPDIR|USER|.*CERT.*|.*_proxy|npm_config_(registry|cafile))$/i;

/**
 * For programs that tests start: the sources stripped of types and compiled, by any of them, are there for all. To strip and
 * compile is about half of what a start costs. What a program finds there is by its content: a source that changed is compiled anew.
 */
export const compiledOnce = { NODE_COMPILE_CACHE: join(tmpdir(), 'atalaya-test-compile-cache') } as const;

/** A LOCAL_DATA_DIR in which no stack ever runs. */
export const noLocalStack = join(tmpdir(), 'atalaya-test-no-stack');

/**
 * The environment a person has in a terminal: nothing of npm's or vitest's, no setting of the project, and the machine's
 * own Node first on PATH. Programs started with it do not find a stack that somebody runs in this checkout.
 */
export function cleanEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined && kept.test(entry[0]));
  const path = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes('node_modules') && !folder.includes('node-gyp-bin'));
  return { ...Object.fromEntries(entries), PATH: path.join(delimiter), LOCAL_DATA_DIR: noLocalStack };
}
