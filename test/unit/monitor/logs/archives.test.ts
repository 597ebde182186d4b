import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { archivesOf, mayWriteTo, planRotation, type Entry, type RotationQuestion } from '#monitor/logs/archives.ts';

const file = 'access.log';
const now = Date.parse('2026-11-26T00:00:10Z');
const entry = (name: string, sizeBytes = 100): Entry => ({ name, sizeBytes, inode: inodeOf(name) });
const inodeOf = (name: string): number => Buffer.from(name).reduce((sum, byte) => (sum * 31 + byte) % 1_000_003, 7);

const plan = (names: readonly (string | Entry)[], more: Partial<RotationQuestion> = {}): string[] =>
  planRotation({
    file,
    entries: names.map((each) => (typeof each === 'string' ? entry(each) : each)),
    isDue: true,
    keep: 14,
    inUse: new Set(),
    now,
    ...more,
  }).map((step) => (step.do === 'rename' ? `rename to ${step.to}` : `${step.do} ${step.name}`));

describe('a rotation', () => {
  test.each([
    ['renames the file by the day', ['access.log'], ['rename to access.log-20261126']],
    ['leaves an empty file alone', [entry('access.log', 0)], []],
    ['has nothing to do without a file', [], []],
    ['takes a name that nobody has', ['access.log', 'access.log-20261126.gz'], ['rename to access.log-20261126.1']],
    [
      'compresses what was renamed before',
      ['access.log', 'access.log-20261125'],
      ['rename to access.log-20261126', 'compress access.log-20261125'],
    ],
    ['sweeps what was cut off', ['access.log-20261124.gz.part', 'access.log-20261124'], ['sweep access.log-20261124.gz.part']],
    [
      'finishes what was compressed, and not yet removed',
      ['access.log-20261124', 'access.log-20261124.gz', 'access.log-20261125'],
      ['compress access.log-20261124'],
    ],
    ['knows its own files only', ['access.log-old', 'access.log.1', 'app.log-20261101', 'xaccess.log-20261101'], []],
    [
      'after a clock that was set back still names the newest last',
      ['access.log', 'access.log-20270101'],
      ['rename to access.log-20270101.1', 'compress access.log-20270101'],
    ],
  ])('%s', (_what, names, steps) => {
    expect(plan(names)).toEqual(steps);
  });

  test('that is not due renames nothing, and leaves the newest as it is', () => {
    expect(plan(['access.log', 'access.log-20261124', 'access.log-20261125'], { isDue: false })).toEqual(['compress access.log-20261124']);
  });

  test('neither compresses nor removes what a writer may still write to', () => {
    const inUse = new Set([inodeOf('access.log-20261124')]);
    expect(plan(['access.log-20261124', 'access.log-20261125'], { inUse })).toEqual([]);
    expect(plan(['access.log-20261124', 'access.log-20261125', 'access.log-20261126'], { inUse, keep: 2 })).toEqual([
      'compress access.log-20261125',
    ]);
  });

  test('takes a writer to write to what it named or to any that came after, and to any at all once that is gone', () => {
    const names = ['access.log-20261123.gz', 'access.log-20261124', 'access.log-20261125', 'access.log', 'app.log'];
    const told = (name: string): string[] =>
      names.filter((each) =>
        mayWriteTo(
          inodeOf(name),
          'access.log',
          names.map((one) => entry(one)),
        ).includes(inodeOf(each)),
      );
    expect(told('access.log-20261125')).toEqual(['access.log-20261125', 'access.log']);
    expect(told('access.log')).toEqual(['access.log']);
    expect(told('access.log-20261101')).toEqual(['access.log-20261124', 'access.log-20261125', 'access.log']);
  });

  test('keeps so many archives, the one it makes included, whatever their form', () => {
    const old = Array.from({ length: 14 }, (_, index) => `access.log-202611${String(index + 10)}.gz`);
    expect(plan(['access.log', ...old])).toEqual(['rename to access.log-20261126', 'expire access.log-20261110.gz']);
    expect(plan([...old, 'access.log-20261110'])).toEqual(['compress access.log-20261110']);
  });

  test('makes room before it takes some, so that a full disk does not keep it from making any', () => {
    expect(plan(['access.log', 'access.log-20261101.gz', 'access.log-20261124', 'access.log-20261125'], { keep: 3 })).toEqual([
      'rename to access.log-20261126',
      'expire access.log-20261101.gz',
      'compress access.log-20261124',
      'compress access.log-20261125',
    ]);
  });
});

test('over any folder: no name is taken twice, nothing in use is touched, and the newest archives stay', () => {
  const day = fc.integer({ min: 1, max: 28 }).map((date) => `access.log-202611${String(date).padStart(2, '0')}`);
  const archive = fc.tuple(day, fc.constantFrom('', '.1', '.2'), fc.constantFrom('', '.gz')).map((parts) => parts.join(''));
  fc.assert(
    fc.property(
      fc.uniqueArray(archive, { maxLength: 40 }),
      fc.integer({ min: 2, max: 20 }),
      fc.nat(6),
      fc.boolean(),
      (names, keep, used, isDue) => {
        const entries = [entry(file), ...names.map((name) => entry(name))];
        const inUse = new Set(names.slice(0, used).map(inodeOf));
        const steps = planRotation({ file, entries, isDue, keep, inUse, now });
        const touched = steps.flatMap((step) => (step.do === 'rename' ? [] : [inodeOf(step.name)]));
        expect(touched.filter((inode) => inUse.has(inode))).toEqual([]);
        expect(names).not.toContain(steps.find((step) => step.do === 'rename')?.to);
        const bases = [...new Set(archivesOf(file, entries).map(({ base }) => base)), ...(isDue ? ['new'] : [])];
        const gone = new Set(steps.filter((step) => step.do === 'expire').map(({ name }) => name.replace('.gz', '')));
        for (const kept of bases.slice(-keep)) expect(gone.has(kept)).toBe(false);
      },
    ),
  );
});
