import { kinds, things, type Kind } from './things.ts';

/** What writers have been told, and whether an answer shows as much as whoever asked for it must be shown. */

/** A thing as an answer shows it, with such others as it shows of. */
export type Row = {
  readonly id_key: number;
  readonly version: number;
  readonly category?: Row | null;
  readonly reviews?: readonly Row[];
};

/** What writers have been told, in the order in which they were. */
export type Told = {
  /** A writer was answered. */
  readonly add: (kind: Kind, id: number, version: number) => void;
  /** How much has been told. */
  readonly count: () => number;
  /** The newest version of a thing among the first `count` that were told, which is what whoever asked then must be shown. */
  readonly leastOf: (kind: Kind, id: number, count: number) => number;
};

/** Everything begins at version 1. @returns what is told of each id, which is its index */
const fresh = (kind: Kind): { at: number; version: number }[][] =>
  Array.from({ length: things[kind].count + 1 }, () => [{ at: 0, version: 1 }]);

export function createTold(): Told {
  let count = 0;
  const byKind = Object.fromEntries(kinds.map((kind) => [kind, fresh(kind)])) as Record<Kind, ReturnType<typeof fresh>>;
  return {
    add: (kind, id, version) => {
      const all = byKind[kind][id];
      // Of two writers the one that came first may be answered last.
      all?.push({ at: ++count, version: Math.max(version, all.at(-1)?.version ?? 0) });
    },
    count: () => count,
    leastOf: (kind, id, before) => byKind[kind][id]?.findLast(({ at }) => at <= before)?.version ?? 0,
  };
}

export type Judgement = {
  /** Things in the answer. */
  readonly shown: number;
  /** What is stale in it, in words. */
  readonly stale: string | undefined;
};

/**
 * Holds an answer against what had been told when it was asked for.
 * @param rows what it shows; nothing is deleted, so that one that shows fewer than `expected` is from before they were
 */
export function judgeAnswer(told: Told, kind: Kind, rows: readonly Row[], before: number, expected: number): Judgement {
  let shown = 0;
  let stale: string | undefined;
  const hold = (of: Kind, { id_key: id, version }: Row): void => {
    shown += 1;
    const least = told.leastOf(of, id, before);
    // What has no version to compare would be taken for new.
    if (!(version >= least)) stale ??= `${of} ${id} at version ${version}, after ${least} was answered`;
  };
  for (const row of rows) {
    hold(kind, row);
    if (row.category) hold('categories', row.category);
    for (const review of row.reviews ?? []) hold('reviews', review);
  }
  if (rows.length !== expected) stale ??= `${rows.length} ${kind} instead of ${expected}`;
  return { shown, stale };
}
