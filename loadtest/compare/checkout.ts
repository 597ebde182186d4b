import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf, UsageError } from '#lib/errors.ts';
import { runCommand } from '#lib/run-command.ts';

/** A folder with the source of one commit. */
export type Checkout = { readonly dir: string; readonly remove: () => Promise<void> };

const timeoutMs = 60_000;

/**
 * Lays out the source at a git ref in a temporary folder, with the installed packages of the repository linked into it.
 * @param root of the repository
 * @throws {UsageError} when there is no such commit, or no repository
 */
export async function checkOut(ref: string, root: string): Promise<Checkout> {
  const parent = await mkdtemp(join(tmpdir(), 'atalaya-compare-'));
  const dir = join(parent, 'source');
  const remove = async (): Promise<void> => {
    await git(['worktree', 'remove', '--force', dir], root).catch(() => {});
    await rm(parent, { recursive: true, force: true });
    await git(['worktree', 'prune'], root).catch(() => {});
  };
  try {
    await git(['worktree', 'add', '--detach', '--quiet', dir, `${ref}^{commit}`], root);
    await symlink(join(root, 'node_modules'), join(dir, 'node_modules'));
    return { dir, remove };
  } catch (err) {
    await remove();
    throw new UsageError(`the source at ${ref} could not be laid out: ${messageOf(err)}`, { cause: err });
  }
}

const git = (args: readonly string[], root: string): Promise<unknown> =>
  runCommand({ file: 'git', args: ['-C', root, ...args] }, { timeoutMs });
