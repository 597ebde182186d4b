import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
const copied = ['api', 'lib', 'deploy', 'monitor', 'backups', 'package.json', 'tsconfig.json'];

export type Replacement = { readonly file: string; readonly find: string; readonly put: string };

/** A private copy of the source from which a stack can be started; node_modules is shared. */
export async function copySource(replacement?: Replacement): Promise<{ readonly dir: string; readonly remove: () => Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), 'atalaya-zoo-'));
  const remove = (): Promise<void> => rm(dir, { recursive: true, force: true });
  try {
    await Promise.all(copied.map((name) => cp(join(root, name), join(dir, name), { recursive: true })));
    await symlink(join(root, 'node_modules'), join(dir, 'node_modules'));
    if (replacement) await replaceOnce(dir, replacement);
    return { dir, remove };
  } catch (err) {
    await remove();
    throw err;
  }
}

/** @throws unless the text stands in the file exactly once: a seed that does not take would be a defect that nobody could find */
export async function replaceOnce(dir: string, { file, find, put }: Replacement): Promise<void> {
  const path = join(dir, file);
  const source = await readFile(path, 'utf8').catch(() => '');
  const count = source.split(find).length - 1;
  if (count !== 1) throw new Error(`${file} has ${count} times ${JSON.stringify(find)}, it must be once: mend the seed`);
  await writeFile(
    path,
    source.replace(find, () => put),
  );
}
