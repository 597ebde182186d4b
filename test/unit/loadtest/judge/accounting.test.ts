import { expect, test } from 'vitest';
import { judgeAccounts } from '#loadtest/judge/accounting.ts';
import type { Measurement } from '#loadtest/measurement/measurement.ts';
import { atRest, healthyMeasurement, histogramOf, many, slice, timingBand, withPhase } from '../build-measurement.ts';

const [phase] = healthyMeasurement().phases as [Measurement['phases'][number]];

const checkOf = (id: string, measurement: Measurement) => judgeAccounts(measurement).find((check) => check.id === id);

const served = (requestsServed: number, more: Partial<Measurement> = {}): Measurement =>
  healthyMeasurement({ rest: { ...atRest, requestsServed }, ...more });

test('accounts that add up are met, each said with what was found', () => {
  expect(judgeAccounts(withPhase({ inFlightAtEnd: 0, outsideServer: histogramOf(2, 2, 2) }, served(300)))).toMatchObject([
    { id: 'generator-complete', outcome: 'met', measured: '1 of 1', limit: 'all', reason: '' },
    { id: 'conservation', outcome: 'met', measured: '300 = 300 + 0', limit: 'equal', reason: '' },
    { id: 'server-count', outcome: 'met', measured: '300', limit: '300', reason: '' },
    { id: 'not-rate-limited', outcome: 'met', measured: '0', limit: '0', reason: '' },
    { id: 'server-agreement', outcome: 'met', measured: "median 2 ms outside the server's clock", limit: '≤ 1.00 %', reason: '' },
  ]);
});

test('whether the accounts add up is a question of whether the figures can be believed', () => {
  const checks = judgeAccounts(healthyMeasurement());
  expect(new Set(checks.map(({ kind }) => kind))).toEqual(new Set(['innocence']));
  expect(checks.map(({ title }) => title)).toEqual([
    'All generator processes played to the end',
    'Sent = answered + failed + still under way',
    'Requests the server counted = requests the client sent',
    'No answer came from the rate limit (429)',
    "The server's own times fit the client's",
  ]);
});

test('processes are counted over all phases, and each that was lost is named', () => {
  const phases = [
    { ...phase, processes: 2 },
    { ...phase, processes: 3, startSecond: 5 },
  ];
  expect(checkOf('generator-complete', healthyMeasurement({ phases }))).toMatchObject({ outcome: 'met', measured: '5 of 5' });
  const lost = phases.map((each, index) => ({ ...each, lost: [`process ${index} was ended`] }));
  expect(checkOf('generator-complete', healthyMeasurement({ phases: lost }))).toMatchObject({
    outcome: 'broken',
    measured: '2 lost',
    limit: 'all',
    reason: 'process 0 was ended; process 1 was ended',
  });
});

test('a run without a phase was ended early', () => {
  expect(checkOf('generator-complete', healthyMeasurement({ phases: [] }))).toMatchObject({
    outcome: 'broken',
    measured: '0 lost',
    reason: 'the run was ended before its load was over',
  });
});

test('requests still under way at the end of each phase are accounted for', () => {
  const slices = [{ ...slice(1, many(100, 10)), sent: 105 }];
  const under = (first: number, second: number) =>
    healthyMeasurement({
      slices,
      phases: [
        { ...phase, inFlightAtEnd: first },
        { ...phase, inFlightAtEnd: second, startSecond: 5 },
      ],
    });
  expect(checkOf('conservation', under(2, 3))).toMatchObject({ outcome: 'met', measured: '105 = 100 + 5' });
  expect(checkOf('conservation', under(2, 1))).toMatchObject({
    outcome: 'broken',
    measured: '105 ≠ 100 + 3',
    limit: 'equal',
    reason: 'the client lost count of 2 requests',
  });
  expect(checkOf('conservation', under(2, 4))?.reason).toBe('the client lost count of 1 request');
});

test('a run in which nothing was sent, or nothing came to an end, shows nothing', () => {
  expect(checkOf('conservation', healthyMeasurement({ slices: [] }))).toMatchObject({
    outcome: 'broken',
    measured: '0 = 0 + 0',
    limit: 'equal',
    reason: 'nothing was sent',
  });
  expect(checkOf('conservation', withPhase({ inFlightAtEnd: 9 }, { slices: [{ ...slice(1, []), sent: 9 }] }))).toMatchObject({
    outcome: 'broken',
    measured: '9 = 0 + 9',
    limit: 'equal',
    reason: 'nothing came to an end',
  });
});

test('the server may have counted what got no answer, and must have counted every answer of whatever kind', () => {
  const answers = { refused: 2, limited: 3, httpErrors: 4, wrongAnswers: 5, timeouts: 6, connectionErrors: 7 };
  // 10 right ones, 14 of other kinds, 13 without an answer.
  const slices = [slice(1, many(10, 10), answers)];
  for (const count of [24, 30, 37]) {
    expect(checkOf('server-count', served(count, { slices }))).toMatchObject({
      outcome: 'met',
      measured: String(count),
      limit: '24 to 37',
    });
  }
  expect(checkOf('server-count', served(38, { slices }))).toMatchObject({
    outcome: 'broken',
    measured: '38',
    limit: '24 to 37',
    reason: 'the server answered 1 request that the client did not account for',
  });
  expect(checkOf('server-count', served(23, { slices }))).toMatchObject({
    outcome: 'not-checked',
    limit: '24 to 37',
    reason: 'the server counted only 23: one of its processes was replaced, and its count with it',
  });
});

test('a server whose count could not be read is not checked', () => {
  const reason = 'the count could not be read, or others use the service too';
  expect(checkOf('server-count', healthyMeasurement())).toMatchObject({ outcome: 'not-checked', reason });
  expect(checkOf('server-count', healthyMeasurement({ rest: null }))).toMatchObject({ outcome: 'not-checked', reason });
});

test('answers of the rate limit are counted, with what to look at', () => {
  expect(checkOf('not-rate-limited', healthyMeasurement({ slices: [slice(1, many(9, 10), { limited: 3 })] }))).toMatchObject({
    outcome: 'broken',
    measured: '3',
    limit: '0',
    reason: '3 requests answered 429: the run measured the rate limit, not the service; is RATE_LIMIT_LOADTEST_CALLS too low?',
  });
});

const impossible = (count: number) => withPhase({ serverTimings: [timingBand(3, 150, {}, count), timingBand(4, 50, {}, 0)] });

test('one answer in a hundred may take longer by the server than by the client, and no more', () => {
  expect(checkOf('server-agreement', impossible(2))).toMatchObject({ outcome: 'met', limit: '≤ 1.00 %' });
  expect(checkOf('server-agreement', impossible(3))).toMatchObject({
    outcome: 'broken',
    measured: '1.50 % impossible',
    limit: '≤ 1.00 %',
    reason: 'for 3 answers the server claims more time than passed between request and answer',
  });
  expect(checkOf('server-agreement', withPhase({ serverTimings: [] }))).toMatchObject({
    outcome: 'not-checked',
    reason: 'the server sent no Server-Timing',
  });
});
