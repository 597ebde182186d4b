import { expect, test } from 'vitest';
import { judgeInstrument } from '#loadtest/judge/instrument.ts';
import type { Measurement } from '#loadtest/measurement/measurement.ts';
import { healthyMeasurement, histogramOf, many, quietSecond, slice, withClient, withPhase } from '../build-measurement.ts';

const checkOf = (id: string, measurement: Measurement) => judgeInstrument(measurement).find((check) => check.id === id);

const delayed = (...ms: readonly number[]): Measurement =>
  withPhase({ processVitals: ms.map((each) => ({ seconds: [], loopDelay: histogramOf(each) })) });

const saturating = (more: Partial<Measurement> = {}): Measurement => withPhase({ load: { kind: 'saturating', users: 400 } }, more);

const used = (...others: readonly number[]): Measurement =>
  healthyMeasurement({
    machine: others.map((share, second) => quietSecond(second, { cpu: { busy: 0.9, own: 0, target: 0, others: share } })),
  });

test('a quick client on a quiet machine is innocent in every respect', () => {
  expect(judgeInstrument(healthyMeasurement()).map(({ id, kind, outcome, reason }) => [id, kind, outcome, reason])).toEqual(
    ['client-delay', 'idle-server', 'calibration', 'machine-quiet', 'send-lag'].map((id) => [id, 'innocence', 'met', '']),
  );
});

test('of several processes the one whose loop was latest counts, up to a tenth of the limit for 95 %', () => {
  expect(checkOf('client-delay', delayed(3, 19, 5))).toMatchObject({ outcome: 'met', measured: '19 ms', limit: '≤ 20 ms' });
  expect(checkOf('client-delay', delayed(3, 30, 5))).toMatchObject({
    outcome: 'broken',
    measured: '30 ms',
    limit: '≤ 20 ms',
    reason: "1 % of the time the client itself was 30 ms late or more, which it would report as the server's",
    onlySlows: true,
  });
  const exactly = { ...delayed(2), budget: { ...healthyMeasurement().budget, p95Ms: 20 } };
  expect(checkOf('client-delay', exactly)).toMatchObject({ outcome: 'met', measured: '2 ms', limit: '≤ 2 ms' });
  expect(checkOf('client-delay', delayed())).toMatchObject({
    outcome: 'not-checked',
    limit: '',
    reason: 'no generator process lived long enough to tell',
  });
});

test('processes of all phases count, those that ended too early to tell are left out', () => {
  const [ended] = withPhase({ processVitals: [{ seconds: [], loopDelay: histogramOf() }] }).phases as [Measurement['phases'][number]];
  const measurement = delayed(30);
  expect(checkOf('client-delay', { ...measurement, phases: [ended, ...measurement.phases, ended] })).toMatchObject({ measured: '30 ms' });
});

test('for users who never pause only time running out is a matter of the client: a tenth of the shortest patience is let be', () => {
  expect(checkOf('client-delay', saturating())).toMatchObject({ limit: '≤ 1.5 s' });
  expect(checkOf('idle-server', saturating())).toMatchObject({ limit: '≤ 1.5 s' });
});

const idle = (...ms: readonly number[]) =>
  healthyMeasurement({ machine: ms.map((idleAnswerMs, second) => quietSecond(second, { idleAnswerMs })) });

test('the slowest answer of a server that does nothing counts, up to a tenth of the limit for 95 %', () => {
  expect(checkOf('idle-server', idle(1, 20, 2))).toMatchObject({ outcome: 'met', measured: '20 ms', limit: '≤ 20 ms' });
  expect(checkOf('idle-server', idle(1, 21, 2))).toMatchObject({
    outcome: 'broken',
    measured: '21 ms',
    limit: '≤ 20 ms',
    reason: 'client and machine alone took up to 21 ms for an answer that needs none',
    onlySlows: true,
  });
  expect(checkOf('idle-server', idle())).toMatchObject({ outcome: 'not-checked', reason: 'it was not asked' });
});

const calibrated = (p99Ms: number | null) => withClient({ calibration: { p99Ms, requestsPerSecond: 200 } });

test('calibrated, the client takes a tenth of the limit for 99 % at most', () => {
  expect(checkOf('calibration', calibrated(50))).toMatchObject({ outcome: 'met', measured: 'p99 50 ms', limit: '≤ 50 ms' });
  expect(checkOf('calibration', calibrated(51))).toMatchObject({
    outcome: 'broken',
    measured: 'p99 51 ms',
    limit: '≤ 50 ms',
    reason: 'client and machine alone already took p99 51 ms',
    onlySlows: true,
  });
  for (const none of [calibrated(null), withClient({ calibration: null })])
    expect(checkOf('calibration', none)).toMatchObject({ outcome: 'not-checked', reason: 'the client was not calibrated' });
});

const able = (requestsPerSecond: number): Measurement => {
  const made = saturating({ slices: [1, 2].map((second) => slice(second, many(100, 10))) });
  return { ...made, client: { ...made.client, calibration: { p99Ms: 900, requestsPerSecond } } };
};

test('users who never pause must be able to send a quarter more than was answered; less is no mere slowness', () => {
  expect(checkOf('calibration', able(125))).toMatchObject({ outcome: 'met', measured: '125/s, 1.3 × the run', limit: '≥ 1.25 ×' });
  const short = checkOf('calibration', able(120));
  expect(short).toMatchObject({
    outcome: 'broken',
    measured: '120/s, 1.2 × the run',
    limit: '≥ 1.25 ×',
    reason: 'the client could hardly send more than the service answered, so it may have been the limit',
  });
  expect(short).not.toHaveProperty('onlySlows');
});

test('others may use three tenths of the machine on average', () => {
  expect(checkOf('machine-quiet', used(0, 0.5))).toMatchObject({ outcome: 'met', measured: '25.0 %', limit: '≤ 30.0 %' });
  expect(checkOf('machine-quiet', used(0.3))).toMatchObject({ outcome: 'met', measured: '30.0 %' });
  expect(checkOf('machine-quiet', used(0.2, 0.5))).toMatchObject({
    outcome: 'broken',
    measured: '35.0 %',
    limit: '≤ 30.0 %',
    reason: 'other programs used 35.0 % of this machine beside the run',
    onlySlows: true,
  });
});

test('seconds in which nobody knows whose CPU it was are left out', () => {
  const reason = 'whose CPU it was could not be told';
  const unknown = [quietSecond(0, { cpu: null }), quietSecond(1, { cpu: { busy: 1, own: 0, target: null, others: 1 } })];
  expect(checkOf('machine-quiet', healthyMeasurement({ machine: unknown }))).toMatchObject({ outcome: 'not-checked', reason });
  expect(checkOf('machine-quiet', healthyMeasurement({ machine: [...unknown, ...used(0.2).machine] }))).toMatchObject({
    outcome: 'met',
    measured: '20.0 %',
  });
});

const pausing = (least: number, most: number) => ({ kind: 'closed', users: 400, thinkMs: [least, most] }) as const;

test('pauses may be longer by a fiftieth of the mean pause', () => {
  expect(checkOf('send-lag', withPhase({ sendLag: histogramOf(30, 30) }))).toMatchObject({
    outcome: 'met',
    measured: '30 ms (p99 30 ms)',
    limit: '≤ 40 ms',
  });
  expect(checkOf('send-lag', withPhase({ load: pausing(50, 150), sendLag: histogramOf(2, 2) }))).toMatchObject({
    outcome: 'met',
    limit: '≤ 2 ms',
  });
  expect(checkOf('send-lag', withPhase({ sendLag: histogramOf(50, 50) }))).toMatchObject({
    outcome: 'broken',
    measured: '50 ms (p99 50 ms)',
    limit: '≤ 40 ms',
    reason: 'the client fell behind its own schedule by 50 ms on average, so the load was less than asked for',
  });
});

test('where phases differ the shortest pauses are what nobody may be late by, over all of them', () => {
  const [phase] = healthyMeasurement().phases as [Measurement['phases'][number]];
  const phases = [
    { ...phase, load: pausing(500, 1_500), sendLag: histogramOf(10, 10, 10) },
    { ...phase, load: pausing(1_000, 3_000), sendLag: histogramOf(30), startSecond: 5 },
    { ...phase, load: { kind: 'saturating', users: 400 } as const, sendLag: histogramOf(900), startSecond: 9 },
  ];
  expect(checkOf('send-lag', healthyMeasurement({ phases }))).toMatchObject({
    outcome: 'met',
    measured: '15 ms (p99 30 ms)',
    limit: '≤ 20 ms',
  });
});

test('where nobody pauses, or nothing was sent, no pause can be too long', () => {
  expect(checkOf('send-lag', saturating())).toMatchObject({
    outcome: 'not-checked',
    reason: 'users who never pause have no moment they mean to send at',
  });
  expect(checkOf('send-lag', withPhase({ sendLag: histogramOf() }))).toMatchObject({
    outcome: 'not-checked',
    reason: 'nothing was sent in the measured window',
  });
});
