import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';

/**
 * What a process that writes log files says of itself, in `.writers/<id>.json` of their folder: whoever has renamed a file may
 * compress it once every note that counts names one for it that came later. The API writes them.
 */
const noteSchema = z.object({
  program: z.string(),
  worker: z.int(),
  pid: z.int(),
  /** ISO 8601, when it was written last, and how long it counts from then. */
  at: z.iso.datetime(),
  leaseMs: z.int().positive(),
  /** Name of each file → inode that lines of it go to. */
  files: z.record(z.string(), z.int()),
});

export type Writer = {
  /** As people know it: `api worker 2 (process 41)`. */
  readonly name: string;
  readonly files: Readonly<Record<string, number>>;
};

/** A note that nobody can read may be anybody's for so long. */
const unreadableForMs = 600_000;

/**
 * The writers of a folder whose notes count at present. `unreadable` names notes that nobody understands: until they are old, any
 * file may be in use.
 */
export async function readWriters(
  dir: string,
  now: number,
): Promise<{ readonly writers: readonly Writer[]; readonly unreadable: readonly string[] }> {
  const folder = join(dir, '.writers');
  const names = await readdir(folder).catch((err: NodeJS.ErrnoException) => {
    if (err.code === 'ENOENT') return [];
    throw err;
  });
  const writers: Writer[] = [];
  const unreadable: string[] = [];
  for (const name of names.filter((each) => each.endsWith('.json'))) {
    const text = await readFile(join(folder, name), 'utf8').catch(() => undefined);
    // Withdrawn in this moment.
    if (text === undefined) continue;
    const note = parseNote(text);
    if (note && Math.abs(now - Date.parse(note.at)) <= note.leaseMs) {
      writers.push({
        name: `${note.program} ${note.worker === 0 ? 'primary' : `worker ${note.worker}`} (process ${note.pid})`,
        files: note.files,
      });
    }
    if (!note && now - (await stat(join(folder, name)).catch(() => ({ mtimeMs: 0 }))).mtimeMs < unreadableForMs) unreadable.push(name);
  }
  return { writers, unreadable };
}

function parseNote(text: string): z.output<typeof noteSchema> | undefined {
  try {
    return noteSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
