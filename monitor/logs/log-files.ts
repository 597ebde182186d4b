import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import type { Entry, Step } from './archives.ts';

/** What rotation does to a disk; tests cut it off at each. */
export type LogFiles = {
  /** Files of a folder; none where there is no such folder. */
  readonly list: (dir: string) => Promise<readonly Entry[]>;
  readonly rename: (from: string, to: string) => Promise<void>;
  readonly remove: (path: string) => Promise<void>;
  /** Writes `<path>.gz.part`, to the disk, with mode 0640. @returns a digest of what was read */
  readonly compress: (path: string, signal: AbortSignal) => Promise<string>;
  /** Of the content, of a compressed file of what was compressed. */
  readonly digest: (path: string, isCompressed: boolean, signal: AbortSignal) => Promise<string>;
  readonly syncFolder: (dir: string) => Promise<void>;
};

/** The disk itself. */
export const diskLogFiles: LogFiles = {
  list: async (dir) => {
    const names = await readdir(dir).catch((err: NodeJS.ErrnoException) => {
      if (err.code === 'ENOENT') return [];
      throw err;
    });
    const entries = await Promise.all(
      names.map(async (name): Promise<Entry[]> => {
        const found = await stat(join(dir, name)).catch(() => undefined);
        return found?.isFile() ? [{ name, sizeBytes: found.size, inode: found.ino }] : [];
      }),
    );
    return entries.flat();
  },
  rename,
  remove: (path) => rm(path, { force: true }),
  compress: async (path, signal) => {
    const part = `${path}.gz.part`;
    const hash = createHash('sha256');
    await pipeline(createReadStream(path), hashing(hash), createGzip(), createWriteStream(part, { mode: 0o640, flush: true }), { signal });
    // Whatever the umask.
    await chmod(part, 0o640);
    return hash.digest('hex');
  },
  digest: async (path, isCompressed, signal) => {
    const hash = createHash('sha256');
    if (isCompressed) await pipeline(createReadStream(path), createGunzip(), hash, { signal });
    else await pipeline(createReadStream(path), hash, { signal });
    return hash.digest('hex');
  },
  syncFolder: async (dir) => {
    const handle = await open(dir, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};

/** Passes everything on, and takes it into account. */
const hashing = (hash: ReturnType<typeof createHash>): Transform =>
  new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      hash.update(chunk);
      done(null, chunk);
    },
  });

/**
 * Does one step. Cut off at any moment it leaves every line in some file: a compressed form gets its name once it was read back and
 * holds what the plain one holds, and only then the plain one goes.
 * @throws what the disk says; the plain form is then still there
 */
export async function takeStep(files: LogFiles, dir: string, step: Step, signal: AbortSignal): Promise<void> {
  const path = join(dir, step.name);
  if (step.do === 'rename') await files.rename(path, join(dir, step.to));
  if (step.do === 'sweep' || step.do === 'expire') await files.remove(path);
  if (step.do === 'compress') await compress(files, dir, path, signal);
  await files.syncFolder(dir);
}

async function compress(files: LogFiles, dir: string, path: string, signal: AbortSignal): Promise<void> {
  const [part, done] = [`${path}.gz.part`, `${path}.gz`];
  const isThere = (await files.list(dir)).some(({ name }) => join(dir, name) === done);
  // Left by a run that was cut off before it removed the plain form; where it holds something else it is made anew.
  if (!isThere || (await files.digest(done, true, signal).catch(() => undefined)) !== (await files.digest(path, false, signal))) {
    const read = await files.compress(path, signal);
    if ((await files.digest(part, true, signal)) !== read) throw new Error(`${part} does not hold what was compressed`);
    if ((await files.digest(path, false, signal)) !== read) throw new Error(`${path} was written to while it was compressed`);
    await files.rename(part, done);
    await files.syncFolder(dir);
  }
  await files.remove(path);
}
