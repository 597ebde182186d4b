import { assert, array, double, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createRecorder } from '#loadtest/generate/recorder.ts';
import { mergeHistograms, percentileMs } from '#loadtest/measurement/histogram.ts';
import { barsOf, accuracyPage } from '#test/accuracy/page.ts';
import type { Campaign, Play } from '#test/accuracy/campaign.ts';
import { clients } from '#test/accuracy/clients.ts';
import { answeredAt, latencyOf, stallForAll } from '#test/accuracy/known-server.ts';

test('latencies that were taken down second by second have the percentiles of all of them, within a thousandth', () => {
  assert(
    property(
      array(array(double({ min: 0.01, max: 60_000, noNaN: true }), { maxLength: 60 }), { minLength: 1, maxLength: 6 }),
      (seconds) => {
        let now = 0;
        const recorder = createRecorder({ startSecond: 0, isScheduled: false, now: () => now });
        for (const [second, latencies] of seconds.entries()) {
          now = 1_000 * second;
          for (const ms of latencies) recorder.settled('GET /', 'ok', ms);
        }
        const merged = mergeHistograms(recorder.take(true).map(({ latency }) => latency));
        const truth = latencyOf(seconds.flat());
        expect(merged.totalCount).toBe(truth.requests);
        for (const [percent, trueMs] of [
          [50, truth.p50Ms],
          [95, truth.p95Ms],
          [99, truth.p99Ms],
          [100, truth.maxMs],
        ] as const)
          expect(Math.abs((percentileMs(merged, percent) ?? 0) - (trueMs ?? 0))).toBeLessThanOrEqual(0.001 * (trueMs ?? 0) + 0.0011);
      },
    ),
  );
});

test('whoever comes while the server stands still waits for its end, and that is known exactly', () => {
  expect(answeredAt(0)).toBe(10);
  expect(answeredAt(3_985)).toBe(3_995);
  expect(answeredAt(3_990)).toBe(6_000);
  expect(answeredAt(5_989)).toBe(6_000);
  expect(answeredAt(5_990)).toBe(6_000);
  expect(answeredAt(14_500)).toBe(16_000);
  // A fifth of all waits, evenly from 2 s down to nothing: one in twenty for more than 1.5 s.
  const { p50Ms, p95Ms, p99Ms, maxMs } = stallForAll();
  expect(p50Ms).toBe(10);
  expect([p95Ms, p99Ms, maxMs].map((ms) => Math.round((ms ?? 0) / 10))).toEqual([151, 191, 201]);
});

describe('what is promised', () => {
  const latency = { requests: 3_000, p50Ms: 10.4, p95Ms: 40.6, p99Ms: 120.5, maxMs: 250.8 };
  const plain = { ...latency, perSecond: 5_000, errors: 0 };
  const lag = { dropped: 0, p50Ms: 0.5, p99Ms: 4, maxMs: 12 };
  const play = (matter: Play['matter'], client: string, said: Partial<Play['said']> = {}): Play => ({
    matter,
    client,
    round: 0,
    said: { ...plain, sendLag: lag, ...(matter === 'stall' && stallForAll()), ...(matter === 'steady' && { p99Ms: 3 }), ...said },
    truth: matter === 'stall' ? stallForAll() : latency,
    others: 0.02,
  });
  const here = clients.filter(({ name }) => name !== 'oha');
  const plays = [
    ...here.flatMap(({ name }) => (['mixture', 'stall'] as const).map((matter) => play(matter, name))),
    ...here.filter(({ kind }) => kind === 'closed').map(({ name }) => play('nothing', name, { p99Ms: 2 })),
    ...here.filter(({ kind }) => kind === 'open').map(({ name }) => play('steady', name)),
  ];
  const campaign: Campaign = { plays, missing: ['oha'] };
  const missed = (change: (play: Play) => Partial<Play['said']>): string[] =>
    barsOf({ ...campaign, plays: plays.map((one) => ({ ...one, said: { ...one.said, ...change(one) } })) }).flatMap(({ says, isHeld }) =>
      isHeld ? [] : [says],
    );
  const [closed = '', open = ''] = clients.map(({ name }) => name);

  test('is held by clients that say what is true, as far as their histogram and the way there allow', () => {
    expect(missed(() => ({}))).toEqual([]);
    expect(missed(({ client, matter }) => (client === closed && matter === 'mixture' ? { p99Ms: 121.5 } : {}))).toEqual([]);
  });

  test.each([
    ['a percentile that is off', closed, 'mixture', { p95Ms: 45 }, /p95 off by at most 4\.4 ms/],
    ['half the speed of autocannon', closed, 'nothing', { perSecond: 2_500 }, /× 0\.50 of autocannon/],
    ['a request that was dropped', open, 'steady', { sendLag: { ...lag, dropped: 1 } }, /1 dropped/],
    ['requests that left late', open, 'steady', { sendLag: { ...lag, p99Ms: 11 } }, /send lag p99 11 ms/],
    ['a stall that was not seen', open, 'stall', { p99Ms: 12 }, /sees the stall/],
  ] as const)('is missed by %s', (_what, client, matter, said, says) => {
    const found = missed((one) => (one.client === client && one.matter === matter ? said : {}));
    expect(found).toEqual([expect.stringMatching(says)]);
  });

  test('a client that is not installed stands on the page as that', () => {
    const page = accuracyPage(campaign, 'a machine');
    expect(page).toMatch(/^\| oha \| closed \| not here \|/m);
    expect(page).toMatch(/^\| oha \| not here \|/m);
    expect(page).not.toContain('NaN');
  });
});
