import { randomUUID } from 'node:crypto';
import { readdir, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { compactStamp } from '#lib/show.ts';
import type { FileEffects } from '../deps.ts';
import { readCatalogue, type BackupSet, type Catalogue } from './catalogue.ts';
import { writeDurably, type StoredFile } from './durable-files.ts';
import { writeManifest, type Manifest } from './manifest.ts';

/** Where sets are kept, for the one run that may change it. */
export type SetStore = {
  /** As messages name it. */
  readonly where: string;
  readonly read: () => Promise<Catalogue>;
  readonly freeBytes: () => Promise<number>;
  /** Begins a set that nobody sees before it is published. */
  readonly draft: () => Promise<SetDraft>;
  /** Puts another manifest, such as one with another state, in the place of a set's own. */
  readonly rewrite: (set: BackupSet, manifest: Manifest) => Promise<void>;
  /** Deletes a set; readers find it whole or not at all. */
  readonly remove: (id: string) => Promise<void>;
};

export type SetDraft = {
  /** Adds a file. Resolves once its content would survive a loss of power. */
  readonly write: (name: string, content: Readable, onBytes: (written: number) => void) => Promise<StoredFile>;
  /** Makes it a set, named by its snapshot. Once this resolves it is there for good; before, it is not there at all. */
  readonly publish: (manifest: Omit<Manifest, 'id'>) => Promise<BackupSet>;
  /** Removes what was not published; to be called in any case. */
  readonly discard: () => Promise<void>;
};

/** Work that has not become a set yet, or is no set any more; nothing reads these names. */
const partPrefix = '.part-';
const expiredPrefix = '.expired-';

/**
 * Sets as folders of one folder.
 * @param assertHeld throws when the folder's lock was lost; asked before anything that cannot be taken back
 */
export function folderStore(dir: string, files: FileEffects, assertHeld: () => void): SetStore {
  return {
    where: dir,
    read: () => readCatalogue(dir),
    freeBytes: async () => {
      const { bavail, bsize } = await statfs(dir);
      return bavail * bsize;
    },
    draft: () => beginDraft(dir, files, assertHeld),
    rewrite: async (set, manifest) => {
      assertHeld();
      await writeManifest(set.path, manifest, files);
    },
    remove: async (id) => {
      assertHeld();
      const aside = join(dir, `${expiredPrefix}${id}`);
      await files.rename(join(dir, id), aside);
      await files.syncFolder(dir);
      await files.remove(aside);
    },
  };
}

/** The order is what makes a set whole or absent: contents, manifest, names in the folder, and only then its own name. */
async function beginDraft(dir: string, files: FileEffects, assertHeld: () => void): Promise<SetDraft> {
  const part = join(dir, `${partPrefix}${randomUUID()}`);
  await files.makeFolder(part);
  return {
    write: (name, content, onBytes) => writeDurably(files, join(part, name), content, onBytes),
    publish: async (described) => {
      const id = await freeId(dir, described.takenAt);
      const manifest = { id, ...described } as Manifest;
      await writeManifest(part, manifest, files);
      assertHeld();
      await files.rename(part, join(dir, id));
      await files.syncFolder(dir);
      return { id, path: join(dir, id), manifest };
    },
    discard: () => files.remove(part),
  };
}

/** The snapshot's second, or the next one that no set is named after yet. */
async function freeId(dir: string, takenAt: string): Promise<string> {
  for (let seconds = 0; ; seconds += 1) {
    const id = compactStamp(new Date(Date.parse(takenAt) + seconds * 1000));
    const isTaken = await stat(join(dir, id)).then(
      () => true,
      () => false,
    );
    if (!isTaken) return id;
  }
}

/** Removes what runs that were killed have left. Only under the folder's lock: then no living run owns any of it. */
export async function sweepFolder(dir: string, files: FileEffects): Promise<void> {
  for (const name of await readdir(dir)) {
    if (name.startsWith(partPrefix) || name.startsWith(expiredPrefix)) await files.remove(join(dir, name));
  }
}
