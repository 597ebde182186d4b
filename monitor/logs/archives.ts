/** A file of a log folder. */
export type Entry = { readonly name: string; readonly sizeBytes: number; readonly inode: number };

/** What a rotated file is called: `access.log-20261126`, `access.log-20261126.1` for a second one of a day, `….gz` once compressed. */
type Archive = {
  /** Without `.gz`: the same for both forms. */
  readonly base: string;
  readonly stamp: string;
  readonly sequence: number;
  readonly isCompressed: boolean;
  readonly entry: Entry;
};

/** One thing to do; each can be cut off at any moment and is then planned again, or has been done. */
export type Step =
  /** What was cut off while it was written. */
  | { readonly do: 'sweep'; readonly name: string }
  | { readonly do: 'rename'; readonly name: string; readonly to: string }
  /** The plain form goes once the compressed one is known to hold the same. */
  | { readonly do: 'compress'; readonly name: string }
  | { readonly do: 'expire'; readonly name: string };

export type RotationQuestion = {
  readonly file: string;
  readonly entries: readonly Entry[];
  /** Whether it is time to rename the file. */
  readonly isDue: boolean;
  /** Most archives that are kept. */
  readonly keep: number;
  /** Inodes that some writer may still write to. */
  readonly inUse: ReadonlySet<number>;
  /** Ms of the epoch. */
  readonly now: number;
};

/**
 * What is to be done with one log file, in this order. An empty file is not renamed; the newest archive stays as it is, since who
 * has not said yet that it went over may write to it; nothing is ever written over or truncated. Pure.
 */
export function planRotation({ file, entries, isDue, keep, inUse, now }: RotationQuestion): Step[] {
  const parts = entries.filter(({ name }) => name.startsWith(`${file}-`) && name.endsWith('.gz.part'));
  const found = archivesOf(file, entries);
  const live = entries.find(({ name }) => name === file);
  const renamed = isDue && live && live.sizeBytes > 0 ? nextName(file, found, now) : undefined;
  const bases = [...new Set(found.map(({ base }) => base)), ...(renamed === undefined ? [] : [renamed])];
  const newest = bases.at(-1);
  const plain = found.filter(({ base, isCompressed, entry }) => !isCompressed && base !== newest && !inUse.has(entry.inode));
  const surplus = bases.slice(0, Math.max(0, bases.length - keep));
  return [
    ...parts.map(({ name }): Step => ({ do: 'sweep', name })),
    ...(renamed === undefined ? [] : [{ do: 'rename', name: file, to: renamed } as const]),
    // What makes room comes before what takes some: a full disk would keep the rest from being done.
    ...found
      .filter(({ base, entry }) => surplus.includes(base) && !inUse.has(entry.inode))
      .map(({ entry }): Step => ({ do: 'expire', name: entry.name })),
    ...plain.filter(({ base }) => !surplus.includes(base)).map(({ entry }): Step => ({ do: 'compress', name: entry.name })),
  ];
}

/** Oldest first. Pure. */
export function archivesOf(file: string, entries: readonly Entry[]): readonly Archive[] {
  return entries
    .flatMap((entry): Archive[] => {
      if (!entry.name.startsWith(`${file}-`)) return [];
      const [, stamp, sequence = '0', gz] = /^(\d{8})(?:\.(\d+))?(\.gz)?$/.exec(entry.name.slice(file.length + 1)) ?? [];
      if (stamp === undefined) return [];
      const base = gz === undefined ? entry.name : entry.name.slice(0, -gz.length);
      return [{ base, stamp, sequence: Number(sequence), isCompressed: gz !== undefined, entry }];
    })
    .toSorted((a, b) => a.stamp.localeCompare(b.stamp) || a.sequence - b.sequence);
}

/**
 * Inodes that a writer may still write to: the one it named, and all that came after, since it may have gone over without being able
 * to say so, as where the disk is full. All of them where the one it named is gone. Pure.
 */
export function mayWriteTo(named: number, file: string, entries: readonly Entry[]): readonly number[] {
  const archives = archivesOf(file, entries).flatMap(({ isCompressed, entry }) => (isCompressed ? [] : [entry]));
  const inodes = [...archives, ...entries.filter(({ name }) => name === file)].map(({ inode }) => inode);
  return inodes.slice(Math.max(0, inodes.indexOf(named)));
}

/** A name that nobody has, after those of all before it: a clock that was set back must not make the newest archive the oldest. */
function nextName(file: string, found: readonly Archive[], now: number): string {
  const today = new Date(now).toISOString().slice(0, 10).replaceAll('-', '');
  const last = found.at(-1);
  if (last === undefined || last.stamp < today) return `${file}-${today}`;
  return `${file}-${last.stamp}.${last.sequence + 1}`;
}
