import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planRetention, type RetentionDecision } from '#backups/set/retention.ts';

const now = new Date('2026-11-24T02:10:00.000Z');
const dayMs = 24 * 60 * 60 * 1000;
const policy = { keepDays: 7, keepMin: 3 };

type Sets = Parameters<typeof planRetention>[0];

const set = (daysOld: number, state: 'written' | 'verified' | 'failed' = 'verified', kind: 'regular' | 'safety' = 'regular') => {
  const takenAt = new Date(now.getTime() - daysOld * dayMs).toISOString();
  return { id: takenAt, takenAt, state, kind, database: 'shop' } as const;
};

const reasonsOf = (decisions: readonly RetentionDecision[]): string[] => decisions.map(({ action, reason }) => `${action}: ${reason}`);

describe('the rule', () => {
  test('a daily backup kept for seven days leaves seven sets once the eighth is taken', () => {
    const sets = Array.from({ length: 8 }, (_, day) => set(day + 0.0001));
    const kept = planRetention(sets, policy, now).filter(({ action }) => action === 'keep');
    expect(kept).toHaveLength(7);
  });

  test('a set exactly as old as the limit stays: rounding errs towards keeping', () => {
    expect(reasonsOf(planRetention([set(0), set(7)], { keepDays: 7, keepMin: 1 }, now))).toEqual(['keep: newest-verified', 'keep: recent']);
  });

  test.each([
    [
      'verified ones past the days stay up to the minimum',
      [set(20), set(21), set(22), set(23)],
      ['keep: newest-verified', 'keep: minimum-kept', 'keep: minimum-kept', 'expire: past-keep-days'],
    ],
    [
      'failed and unproved ones do not count towards the minimum',
      [set(20, 'failed'), set(21, 'written'), set(22), set(23), set(24), set(25)],
      [
        'keep: nothing-newer-is-verified',
        'keep: nothing-newer-is-verified',
        'keep: newest-verified',
        'keep: minimum-kept',
        'keep: minimum-kept',
        'expire: past-keep-days',
      ],
    ],
    [
      'old failed and unproved ones go once a newer one is verified',
      [set(8), set(20, 'failed'), set(21, 'written')],
      ['keep: newest-verified', 'expire: past-keep-days', 'expire: past-keep-days'],
    ],
    [
      'nothing goes while nothing is verified',
      [set(30, 'failed'), set(31, 'written'), set(32, 'failed')],
      ['keep: nothing-newer-is-verified', 'keep: nothing-newer-is-verified', 'keep: nothing-newer-is-verified'],
    ],
    [
      'safety backups go by age and are not counted',
      [set(1), set(20, 'verified', 'safety'), set(21)],
      ['keep: newest-verified', 'expire: past-keep-days', 'keep: minimum-kept'],
    ],
    ['a set from the future, by a clock that ran ahead, stays', [set(-3), set(-1, 'written')], ['keep: newest-verified', 'keep: recent']],
  ] as const)('%s', (_name, sets, expected) => {
    expect(reasonsOf(planRetention(sets, policy, now))).toEqual(expected);
  });
});

describe('whatever the sets and the policy', () => {
  const anySets: fc.Arbitrary<Sets> = fc
    .array(
      fc.record({
        daysOld: fc.integer({ min: -20, max: 600 }).map((tenths) => tenths / 10),
        state: fc.constantFrom('written' as const, 'verified' as const, 'failed' as const),
        kind: fc.constantFrom('regular' as const, 'safety' as const),
        database: fc.constantFrom('shop', 'crm'),
      }),
      { maxLength: 30, size: 'max' },
    )
    .map((drafts) =>
      drafts.map(({ daysOld, ...rest }, index) => {
        const takenAt = new Date(now.getTime() - Math.round(daysOld * dayMs)).toISOString();
        return { ...rest, takenAt, id: `${takenAt}-${index}` };
      }),
    );
  const anyPolicy = fc.record({ keepDays: fc.integer({ min: 1, max: 40 }), keepMin: fc.integer({ min: 1, max: 6 }) });

  type Outcome = { readonly sets: Sets; readonly expired: ReadonlySet<string>; readonly policy: { keepDays: number; keepMin: number } };

  /** The first case for which the sentence does not hold, if any. */
  const counterexample = (holds: (outcome: Outcome) => boolean): unknown => {
    const property = fc.property(anySets, anyPolicy, (sets, chosen) => holds({ sets, policy: chosen, expired: expiredOf(sets, chosen) }));
    return fc.check(property, { numRuns: 500 }).counterexample;
  };

  const verifiedOf = (sets: Sets, database: string) =>
    sets
      .filter((one) => one.database === database && one.state === 'verified' && one.kind === 'regular')
      .toSorted((a, b) => (a.id < b.id ? 1 : -1));

  test('the newest verified set of each database stays', () => {
    const found = counterexample(({ sets, expired }) =>
      ['shop', 'crm'].every((database) => !expired.has(verifiedOf(sets, database)[0]?.id ?? '')),
    );
    expect(found).toBeNull();
  });

  test('the minimum of verified sets stays, or all where there are fewer', () => {
    const found = counterexample(({ sets, expired, policy: { keepMin } }) =>
      ['shop', 'crm'].every((database) => {
        const verified = verifiedOf(sets, database);
        return verified.filter(({ id }) => !expired.has(id)).length >= Math.min(keepMin, verified.length);
      }),
    );
    expect(found).toBeNull();
  });

  test('no set within its days goes', () => {
    const found = counterexample(({ sets, expired, policy: { keepDays } }) =>
      sets.every(({ id, takenAt }) => now.getTime() - Date.parse(takenAt) > keepDays * dayMs || !expired.has(id)),
    );
    expect(found).toBeNull();
  });

  test('no catalogue is emptied', () => {
    expect(counterexample(({ sets, expired }) => sets.length === 0 || expired.size < sets.length)).toBeNull();
  });

  test('the outcome does not depend on the order of the sets', () => {
    const found = counterexample(({ sets, expired, policy: chosen }) => areEqual(expiredOf(sets.toReversed(), chosen), expired));
    expect(found).toBeNull();
  });

  test('doing it twice changes nothing', () => {
    const found = counterexample(({ sets, expired, policy: chosen }) => {
      const left = sets.filter(({ id }) => !expired.has(id));
      return expiredOf(left, chosen).size === 0;
    });
    expect(found).toBeNull();
  });

  test('one more failed set never makes another go', () => {
    const extra = { ...set(0, 'failed'), id: 'extra' };
    const found = counterexample(({ sets, expired, policy: chosen }) => areEqual(expiredOf([extra, ...sets], chosen), expired));
    expect(found).toBeNull();
  });
});

function expiredOf(sets: Sets, chosen: typeof policy): Set<string> {
  const decisions = planRetention(sets, chosen, now);
  return new Set(decisions.filter(({ action }) => action === 'expire').map(({ id }) => id));
}

const areEqual = (one: ReadonlySet<string>, other: ReadonlySet<string>): boolean =>
  one.size === other.size && [...one].every((id) => other.has(id));
