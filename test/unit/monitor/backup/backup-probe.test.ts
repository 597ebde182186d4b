import { describe, expect, test } from 'vitest';
import { judgeBackups } from '#monitor/backup/probe.ts';

describe('the backups', () => {
  const hourMs = 3_600_000;
  const now = 100 * hourMs;
  const overview = {
    backups: [],
    newestVerifiedAt: now - 20 * hourMs,
    lastFailure: undefined,
    watchedSince: 0,
    startedAt: 0,
    isRunning: false,
  };
  const decision = { isDue: false, reason: 'done', nextAt: now } as const;
  const judge = (changes: object) => judgeBackups({ ...overview, decision, ...changes }, 26 * hourMs, now);

  test.each([
    ['are well while a verified one is young enough', {}, 'ok'],
    ['are down as soon as an attempt has failed', { lastFailure: 'pg_dump is not installed' }, 'failed'],
    ['are down when the newest verified one is too old', { newestVerifiedAt: now - 27 * hourMs }, 'failed'],
    [
      'are only degraded while one that was missed can be caught up',
      { newestVerifiedAt: now - 50 * hourMs, startedAt: now - hourMs + 1 },
      'degraded',
    ],
    ['are down when it was not caught up within an hour', { newestVerifiedAt: now - 50 * hourMs, startedAt: now - hourMs }, 'failed'],
    [
      'are down when the catch-up has failed',
      { newestVerifiedAt: now - 50 * hourMs, startedAt: now - 60_000, lastFailure: 'the disk is full' },
      'failed',
    ],
    ['are well while the first is only due', { newestVerifiedAt: undefined, watchedSince: now }, 'ok'],
    ['are degraded when the first takes long', { newestVerifiedAt: undefined, watchedSince: now - 2 * hourMs }, 'degraded'],
    ['are down when there never was one', { newestVerifiedAt: undefined, watchedSince: now - 27 * hourMs }, 'failed'],
  ])('%s', (_sentence, changes, outcome) => {
    expect(judge(changes).outcome).toBe(outcome);
  });

  test.each([
    ['where only that was missed', 'written', { code: 'backupsUnproven', forMs: 48 * hourMs, areTaken: true }],
    ['where none was even taken', undefined, { code: 'backupsUnproven', forMs: 48 * hourMs, areTaken: false }],
  ] as const)('say for how long nothing was proven, %s', (_sentence, state, cause) => {
    const taken = { id: 'a', takenAt: new Date(now - hourMs).toISOString(), sizeBytes: 1 };
    expect(judge({ newestVerifiedAt: now - 48 * hourMs, backups: state ? [{ ...taken, state }] : [] }).cause).toEqual(cause);
  });

  test('name the last failure', () => {
    expect(judge({ lastFailure: 'pg_dump is not installed' }).detail).toBe('pg_dump is not installed; newest verified backup is 20 h old');
  });
});
