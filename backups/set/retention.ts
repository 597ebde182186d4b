import type { BackupSummary } from './catalogue.ts';

export type RetentionPolicy = {
  /** Days a set is kept, counted from its snapshot. */
  readonly keepDays: number;
  /** Verified regular sets of each database that are kept whatever their age; at least 1. */
  readonly keepMin: number;
};

export type KeepReason = 'recent' | 'newest-verified' | 'minimum-kept' | 'nothing-newer-is-verified';
export type ExpireReason = 'past-keep-days';

export type RetentionDecision =
  | { readonly id: string; readonly action: 'keep'; readonly reason: KeepReason }
  | { readonly id: string; readonly action: 'expire'; readonly reason: ExpireReason };

type RetainedSet = Pick<BackupSummary, 'id' | 'takenAt' | 'state' | 'kind' | 'database'>;

const dayMs = 24 * 60 * 60 * 1000;

/**
 * What becomes of each set, in the order given. Only verified regular sets count as kept, and any set goes only when a
 * newer verified one of the same database stays: failed and unproved backups never push out a good one. Age is taken
 * from the manifest. Pure.
 */
export function planRetention(sets: readonly RetainedSet[], policy: RetentionPolicy, now: Date): RetentionDecision[] {
  return sets.map((set) => {
    const reason = reasonToKeep(set, newerVerified(set, sets), policy, now);
    return reason ? { id: set.id, action: 'keep', reason } : { id: set.id, action: 'expire', reason: 'past-keep-days' };
  });
}

function reasonToKeep(set: RetainedSet, newerVerifiedCount: number, policy: RetentionPolicy, now: Date): KeepReason | undefined {
  const counts = isVerifiedRegular(set);
  if (counts && newerVerifiedCount === 0) return 'newest-verified';
  if (now.getTime() - Date.parse(set.takenAt) <= policy.keepDays * dayMs) return 'recent';
  if (newerVerifiedCount === 0) return 'nothing-newer-is-verified';
  if (counts && newerVerifiedCount < policy.keepMin) return 'minimum-kept';
  return undefined;
}

const isVerifiedRegular = (set: RetainedSet): boolean => set.state === 'verified' && set.kind === 'regular';

function newerVerified(set: RetainedSet, sets: readonly RetainedSet[]): number {
  return sets.filter((other) => isVerifiedRegular(other) && other.database === set.database && isNewer(other, set)).length;
}

/** Sets of one instant are told apart by their id, so that one of them is always the newest. */
function isNewer(one: RetainedSet, other: RetainedSet): boolean {
  const difference = Date.parse(one.takenAt) - Date.parse(other.takenAt);
  return difference === 0 ? one.id > other.id : difference > 0;
}
