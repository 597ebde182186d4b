import { open, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** What has come to a file since the look before. */
export type Appended = {
  readonly bytes: number;
  /** Lines of level error or worse, or with a status from 500 on. */
  readonly errors: number;
  /** The last of them, whole. */
  readonly lastError: string | undefined;
  /** Of the file as it is now; undefined where there is none. */
  readonly sizeBytes: number | undefined;
};

/** Up to where a file was read; a line that had not ended stands in `rest`. */
type Place = { readonly inode: number; readonly position: number; readonly rest: string };

/** More than this since the look before is counted by its size alone. */
const mostRead = 64 * 1024 * 1024;
const chunkBytes = 256 * 1024;
const longestLine = 64 * 1024;

const isError = (line: string): boolean => /"level":"(?:error|fatal)"|"status":5\d\d[,}]/.test(line);

/**
 * Follows a file of JSON lines by its inode: renamed, its rest is read under the new name, and the file that took its place from its
 * beginning, so that no line counts twice or not at all. It begins at the end of what is there at the first look.
 * @returns what came since; throws what the disk says
 */
export function followLog(path: string): () => Promise<Appended> {
  let place: Place | 'nowhere' | undefined;
  return async () => {
    const found = await stat(path).catch((err: NodeJS.ErrnoException) => {
      if (err.code === 'ENOENT') return undefined;
      throw err;
    });
    const before = place;
    const pieces: Piece[] = [];
    if (before !== undefined && before !== 'nowhere' && before.inode !== found?.ino) {
      const renamed = await fileOf(dirname(path), before.inode);
      if (renamed !== undefined) pieces.push(await readOn(renamed, before));
    }
    if (found === undefined) {
      place = 'nowhere';
    } else if (before === undefined) {
      place = { inode: found.ino, position: found.size, rest: '' };
    } else {
      const isSame = before !== 'nowhere' && before.inode === found.ino && before.position <= found.size;
      const piece = await readOn(path, isSame ? before : { inode: found.ino, position: 0, rest: '' });
      pieces.push(piece);
      place = piece.place;
    }
    return {
      bytes: pieces.reduce((sum, { bytes }) => sum + bytes, 0),
      errors: pieces.reduce((sum, { errors }) => sum + errors, 0),
      lastError: pieces.findLast(({ lastError }) => lastError !== undefined)?.lastError,
      sizeBytes: found?.size,
    };
  };
}

type Piece = Pick<Appended, 'bytes' | 'errors' | 'lastError'> & { readonly place: Place };

async function fileOf(dir: string, inode: number): Promise<string | undefined> {
  for (const name of await readdir(dir)) {
    const path = join(dir, name);
    if ((await stat(path).catch(() => undefined))?.ino === inode) return path;
  }
  return undefined;
}

async function readOn(path: string, { inode, position, rest }: Place): Promise<Piece> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    // What comes while it is read belongs to the next look.
    const start = Math.max(position, size - mostRead);
    let [at, open_, errors, lastError] = [start, start === position ? rest : '', 0, undefined as string | undefined];
    const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, Math.max(1, size - start)));
    while (at < size) {
      const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, size - at), at);
      if (bytesRead === 0) break;
      at += bytesRead;
      const lines = (open_ + buffer.toString('latin1', 0, bytesRead)).split('\n');
      open_ = (lines.pop() ?? '').slice(0, longestLine);
      for (const line of lines) {
        if (!isError(line)) continue;
        errors += 1;
        lastError = line;
      }
    }
    return { bytes: Math.max(0, at - position), errors, lastError, place: { inode, position: at, rest: open_ } };
  } finally {
    await file.close();
  }
}
