import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCondition } from '#monitor/probes/condition.ts';
import { judgeCertificate } from '#monitor/probes/certificate.ts';
import { judgeDisk } from '#monitor/probes/disk.ts';
import { judgeResponse, unwellParts } from '#monitor/probes/http.ts';
import { reportFailure } from '#monitor/probes/postgres.ts';
import { MonitorFaultError } from '#monitor/probes/probe.ts';
import { judgeReplies } from '#monitor/probes/redis.ts';

const dayMs = 86_400_000;
const ended = { validTo: 0, nameProblem: undefined, trustProblem: undefined };
const full = { bsize: 4096, blocks: 100, bfree: 0, bavail: 0, files: 0, ffree: 0 };
const broken = { status: 500, responseTimeMs: 1, body: '' };

describe('a certificate', () => {
  const now = Date.parse('2026-11-25T12:00:00Z');
  const target = { tlsMode: 'acme', warnBelow: 21 * dayMs, failBelow: 7 * dayMs } as const;
  const shown = (daysLeft: number) => ({ validTo: now + daysLeft * dayMs, nameProblem: undefined, trustProblem: undefined });

  test.each([
    [60, 'ok', 'ends in 60 d, on 2027-01-24'],
    [20, 'degraded', 'ends in 20 d, on 2026-12-15'],
    [6, 'failed', 'ends in 6 d, on 2026-12-01'],
    [-1, 'failed', 'has ended on 2026-11-24'],
  ])('with %i days left is %s', (days, outcome, detail) => {
    expect(judgeCertificate(target, shown(days), now)).toMatchObject({ outcome, detail: `the certificate ${detail}` });
  });

  test('that nobody trusts has failed, unless it is a self-signed one on purpose', () => {
    const untrusted = { ...shown(60), trustProblem: 'it is not trusted (DEPTH_ZERO_SELF_SIGNED_CERT)' };
    expect(judgeCertificate(target, untrusted, now)).toMatchObject({ outcome: 'failed', detail: expect.stringContaining('not trusted') });
    expect(judgeCertificate({ ...target, tlsMode: 'self-signed' }, untrusted, now).outcome).toBe('ok');
  });

  test('of another name has failed in every mode', () => {
    const foreign = { ...shown(60), nameProblem: "Hostname/IP does not match certificate's altnames" };
    expect(judgeCertificate({ ...target, tlsMode: 'self-signed' }, foreign, now).outcome).toBe('failed');
  });
});

describe('a disk', () => {
  const target = { path: '/data', warnBelow: { share: 0.15 }, failBelow: { bytes: 2 ** 30 }, fullWithin: 2 * dayMs } as const;
  const withFree = (blocks: number) => judgeDisk(target, { ...stats, bfree: blocks, bavail: blocks });
  const stats = { bsize: 4096, blocks: 2_621_440, bfree: 1_572_864, bavail: 1_441_792, files: 1_000, ffree: 900 };

  test.each([
    ['with room is ok', {}, 'ok', '/data has 5.5 GiB free, 57.9 %'],
    ['below the warning’s share is degraded', { bfree: 500_000, bavail: 368_928 }, 'degraded', '/data has 1.4 GiB free, 14.8 %'],
    ['below the amount has failed', { bfree: 300_000, bavail: 168_928 }, 'failed', '/data has 659.9 MiB free'],
    ['whose files run out is degraded', { ffree: 100 }, 'degraded', 'room for 10.0 % of its files'],
    ['that counts no files is judged by its space', { files: 0, ffree: 0 }, 'ok', '5.5 GiB free'],
  ])('%s', (_sentence, changes, outcome, detail) => {
    expect(judgeDisk(target, { ...stats, ...changes })).toMatchObject({ outcome, detail: expect.stringContaining(detail) });
  });

  test.each([
    [47, 'degraded', '/data has 5.5 GiB free, 57.9 %; at the pace of the last 3 d it is full within 1 d 23 h'],
    [49, 'ok', '/data has 5.5 GiB free, 57.9 %'],
  ])('that is full within %i hours is %s', (hours, outcome, detail) => {
    expect(judgeDisk(target, stats, { leftMs: hours * 3_600_000, watchedMs: 3 * dayMs })).toMatchObject({ outcome, detail });
  });

  test('that fills up only ever gets worse', () => {
    const rank = { ok: 0, degraded: 1, failed: 2 };
    fc.assert(
      fc.property(fc.integer({ min: 0, max: stats.blocks }), fc.integer({ min: 0, max: stats.blocks }), (a, b) => {
        const [more, less] = [Math.max(a, b), Math.min(a, b)];
        expect(rank[withFree(less).outcome]).toBeGreaterThanOrEqual(rank[withFree(more).outcome]);
      }),
    );
  });
});

describe('the replies of Redis', () => {
  test.each([
    [['+PONG'], 'ok'],
    [['+OK', '+PONG'], 'ok'],
    [['HTTP/1.1 400 Bad Request'], 'failed'],
    [['-LOADING Redis is loading the dataset in memory'], 'failed'],
    [['-ERR max number of clients reached'], 'degraded'],
  ])('%j are %s', (replies, outcome) => {
    expect(judgeReplies('Redis at r:6379', replies).outcome).toBe(outcome);
  });

  test.each([[['-WRONGPASS invalid username-password pair']], [['-NOAUTH Authentication required.']]])(
    '%j are about the monitor’s own password, its own fault',
    (replies) => {
      expect(() => judgeReplies('Redis at r:6379', replies)).toThrow(MonitorFaultError);
    },
  );
});

describe('a health document that says it is unwell', () => {
  const body = {
    status: 'critical',
    checks: {
      database: { status: 'down', health: 'critical' },
      redis: { status: 'up', health: 'healthy' },
      db_pool: { health: 'degraded' },
    },
  };

  test('names the parts that are, so that the message does', () => {
    const report = judgeResponse(
      { conditions: [{ text: '[STATUS] == 200', subject: 'STATUS', path: [], operator: '==', expected: 200 }], degradedUnless: [] },
      { status: 503, responseTimeMs: 4, body },
    );
    expect(report).toMatchObject({
      outcome: 'failed',
      detail: 'HTTP 503; [STATUS] == 200: it is 503',
      facts: [['Says of itself', 'checks.database is critical, checks.db_pool is degraded']],
    });
  });

  test('is read whatever its shape, a few parts at most', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(unwellParts({ parts: value }).length).toBeLessThanOrEqual(8);
      }),
    );
  });
});

test.each([
  ['a certificate', judgeCertificate({ tlsMode: 'acme', warnBelow: 1, failBelow: 0 }, ended, 1)],
  ['a disk', judgeDisk({ path: '/data', warnBelow: { share: 0.1 }, failBelow: { share: 0.05 }, fullWithin: 0 }, full)],
  ['Redis', judgeReplies('Redis at r:6379', ['-LOADING'])],
  ['PostgreSQL', reportFailure('PostgreSQL at db:5432', new Error('refused'))],
  ['an HTTP server', judgeResponse({ conditions: [parseCondition('[STATUS] == 200')], degradedUnless: [] }, broken)],
])('what is wrong with %s comes with where to look next', (_what, report) => {
  expect(report).toMatchObject({ outcome: 'failed', nextStep: { code: expect.any(String) } });
});
