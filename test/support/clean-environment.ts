import { delimiter } from 'node:path';

const kept = /^(HOME|LANG|TMPDIR|USER|.*CERT.*|.*_proxy|npm_config_(registry|cafile))$/i;

/**
 * The environment a person has in a terminal: nothing of npm's or vitest's, no setting of the project, and the machine's
 * own Node first on PATH.
 */
export function cleanEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined && kept.test(entry[0]));
  const path = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => !folder.includes('node_modules') && !folder.includes('node-gyp-bin'));
  return { ...Object.fromEntries(entries), PATH: path.join(delimiter) };
}
