import { execFileSync } from 'node:child_process';
import { onTestFinished } from 'vitest';

/**
 * Puts a file system of its own on a folder until the test has finished.
 * @param options of mount, such as `size=8m` or `ro`
 * @returns false where this user may not mount
 */
export function mountTmpfs(dir: string, options: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', dir], { stdio: 'ignore' });
  } catch {
    return false;
  }
  onTestFinished(() => void execFileSync('umount', ['--lazy', dir]));
  return true;
}
