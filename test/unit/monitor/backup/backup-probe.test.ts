import { describe, expect, test } from 'vitest';
import { judgeBackups } from '#monitor/backup/probe.ts';

describe('the backups', () => {
  const hourMs = 3_600_000;
  const now = 100 * hourMs;
  const overview = { backups: [], newestVerifiedAt: now - 20 * hourMs, lastFailure: undefined, watchedSince: 0, isRunning: false };
  const decision = { isDue: false, reason: 'done', nextAt: now } as const;
  const judge = (changes: object) => judgeBackups({ ...overview, decision, ...changes }, 26 * hourMs, now);

  test.each([
    ['are well while a verified one is young enough', {}, 'ok'],
    ['are degraded once an attempt failed', { lastFailure: 'pg_dump is not installed' }, 'degraded'],
    ['are down when the newest verified one is too old', { newestVerifiedAt: now - 27 * hourMs }, 'failed'],
    ['are well while the first is only due', { newestVerifiedAt: undefined, watchedSince: now }, 'ok'],
    ['are degraded when the first takes long', { newestVerifiedAt: undefined, watchedSince: now - 2 * hourMs }, 'degraded'],
    ['are down when there never was one', { newestVerifiedAt: undefined, watchedSince: now - 27 * hourMs }, 'failed'],
  ])('%s', (_sentence, changes, outcome) => {
    expect(judge(changes).outcome).toBe(outcome);
  });

  test('name the last failure', () => {
    expect(judge({ lastFailure: 'pg_dump is not installed' }).detail).toContain('pg_dump is not installed');
  });
});
