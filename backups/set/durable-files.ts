import { createHash } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import type { FileEffects } from '../deps.ts';

/** The disk itself. */
export const diskEffects: FileEffects = {
  create: (path) => open(path, 'wx', 0o600),
  makeFolder: (path) => mkdir(path, { mode: 0o700 }),
  rename,
  remove: (path) => rm(path, { recursive: true, force: true }),
  syncFolder: async (path) => {
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
};

export type StoredFile = {
  readonly sizeBytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
};

/**
 * Writes a stream to a new file whose content is on the disk when this resolves; its name is once the folder is synced.
 * The SHA-256 is of what the stream gave, so a disk that loses bytes shows at the next check.
 * @throws when the file exists or cannot be written in full.
 */
export async function writeDurably(
  files: FileEffects,
  path: string,
  source: Readable,
  onBytes?: (written: number) => void,
): Promise<StoredFile> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const handle = await files.create(path);
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      hash.update(chunk);
      for (let offset = 0; offset < chunk.length;) offset += (await handle.write(chunk, offset)).bytesWritten;
      sizeBytes += chunk.length;
      onBytes?.(sizeBytes);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { sizeBytes, sha256: hash.digest('hex') };
}

/** Replaces a file as a whole: readers, and a machine that loses power, see the old content or the new one. */
export async function replaceDurably(files: FileEffects, path: string, content: Readable): Promise<void> {
  const partial = `${path}.part`;
  await files.remove(partial);
  await writeDurably(files, partial, content);
  await files.rename(partial, path);
  await files.syncFolder(dirname(path));
}

const chunkBytes = 256 * 1024;

/** Size and SHA-256 of a file as it is on the disk now. */
export async function measureFile(path: string, onBytes: (read: number) => void, signal?: AbortSignal): Promise<StoredFile> {
  const hash = createHash('sha256');
  // One buffer for the whole file: a dump of gigabytes must not cost the monitor memory.
  const buffer = Buffer.allocUnsafe(chunkBytes);
  let sizeBytes = 0;
  const handle = await open(path, 'r');
  try {
    for (;;) {
      signal?.throwIfAborted();
      const { bytesRead } = await handle.read(buffer, 0, chunkBytes);
      if (bytesRead === 0) break;
      hash.update(buffer.subarray(0, bytesRead));
      sizeBytes += bytesRead;
      onBytes(sizeBytes);
    }
  } finally {
    await handle.close();
  }
  return { sizeBytes, sha256: hash.digest('hex') };
}
