import { describe, expect, test } from 'vitest';
import { spaceNeededBytes } from '#backups/take.ts';

describe('the free space asked for', () => {
  const mib = 1024 * 1024;
  test('is half the database for the first backup, and the last good one and a third once that is more', () => {
    expect(spaceNeededBytes({ databaseBytes: 1000 * mib, lastGoodBytes: 0 })).toBe(564 * mib);
    expect(spaceNeededBytes({ databaseBytes: 1000 * mib, lastGoodBytes: 1000 * mib })).toBe(1364 * mib);
  });
});
