import { createHash } from 'node:crypto';
import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';

export type StoredFile = {
  readonly sizeBytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
};

const chunkBytes = 256 * 1024;

/**
 * Writes a stream to a new file (mode 0600) that is on the disk when this resolves. The SHA-256 is of what the stream
 * gave, so a disk that loses bytes shows at the next check.
 * @throws when the file exists or cannot be written in full.
 */
export async function writeDurably(path: string, source: Readable, onBytes: (written: number) => void): Promise<StoredFile> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const handle = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      hash.update(chunk);
      await writeAll(handle, chunk);
      sizeBytes += chunk.length;
      onBytes(sizeBytes);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  return { sizeBytes, sha256: hash.digest('hex') };
}

async function writeAll(handle: FileHandle, chunk: Buffer): Promise<void> {
  for (let offset = 0; offset < chunk.length;) {
    const { bytesWritten } = await handle.write(chunk, offset);
    offset += bytesWritten;
  }
}

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

/** Replaces a file (mode 0600) as a whole: readers, and a machine that loses power, see the old text or the new one. */
export async function replaceDurably(path: string, text: string): Promise<void> {
  const partial = `${path}.part`;
  await rm(partial, { force: true });
  const handle = await open(partial, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(partial, path);
  await syncDirectory(dirname(path));
}

/** Makes names made, changed or removed in a folder last through a loss of power. */
export async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
