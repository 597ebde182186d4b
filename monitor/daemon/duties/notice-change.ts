import { readFileSync, statSync } from 'node:fs';
import { digestOf, type ConfigSource } from '../../config/config-file.ts';
import type { Duty } from './duty.ts';

/**
 * Notices that the file the settings came from has another content, once it has rested for a second: what is half written is
 * none yet. Each content is noticed once, also where it could not be used.
 */
export function noticeChangeDuty(source: ConfigSource, onChange: () => void): Duty {
  let tried: string | undefined = source.digest;
  let seen: string | undefined;
  let examined: string | undefined;
  return {
    name: 'notice a change of the settings',
    isDue: () => true,
    run: () => {
      const before = seen;
      seen = markOf(source.path);
      if (seen !== before || seen === examined) return;
      examined = seen;
      const digest = digestOfFile(source.path);
      if (digest === tried) return;
      tried = digest;
      onChange();
    },
  };
}

/** Changes with every write; `none` where there is no file. */
function markOf(path: string): string {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found ? `${found.ino} ${found.size} ${found.mtimeNs}` : 'none';
}

function digestOfFile(path: string): string | undefined {
  try {
    return digestOf(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}
