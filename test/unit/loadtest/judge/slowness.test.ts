import { describe, expect, test } from 'vitest';
import { allowanceOf } from '#loadtest/judge/slowness.ts';
import type { MachineSample, Measurement } from '#loadtest/measurement/measurement.ts';
import { healthyMeasurement, histogramOf, quietSecond, withPhase } from '../build-measurement.ts';

/** What is allowed of 100 ms in each of the first six seconds; the budget is 200 ms for 95 % and 500 ms for 99 %. */
const allowed = (measurement: Measurement): number[] =>
  [0, 1, 2, 3, 4, 5].map((second) => Math.round(allowanceOf(measurement)(100, second)));

const nothing = [100, 100, 100, 100, 100, 100];

const in3 = (ms: number): number[] => [100, 100, ms, ms, ms, 100];

const calibrated = (p99Ms: number | null): Partial<Measurement> => ({
  client: { ...healthyMeasurement().client, calibration: { p99Ms, requestsPerSecond: 200 } },
});

/** Generator processes whose loops were that late in second 3. */
const late = (maxDelaysMs: readonly number[], more: Partial<Measurement> = {}): Measurement =>
  withPhase(
    {
      processVitals: maxDelaysMs.map((maxDelayMs) => ({
        seconds: [{ second: 3, utilization: 0.2, cpu: 0.2, maxDelayMs }],
        loopDelay: histogramOf(1),
      })),
    },
    { machine: [], ...more },
  );

const machineIn3 = (changes: Partial<MachineSample>, more: Partial<Measurement> = {}): Measurement =>
  late([], { machine: [quietSecond(3, { idleAnswerMs: 0, ...changes })], ...more });

const cpu = (busy: number, others: number, target: number | null = 0.1) => ({ busy, own: 0.1, target, others });

describe('what client and machine may have added to an answer', () => {
  test.each<[string, Measurement, number[]]>([
    ['a client in time adds nothing', late([]), nothing],
    ['a tenth of the limit for 95 % is fine enough', late([20]), nothing],
    ['what is more counts in its second and both neighbours', late([21]), in3(121)],
    ['of several processes the latest counts', late([30, 70, 50]), in3(170)],
    ['so does a server that does nothing, late by no more than a tenth', machineIn3({ idleAnswerMs: 20 }), nothing],
    ['so does a server that does nothing, later', machineIn3({ idleAnswerMs: 21 }), in3(121)],
    [
      'a watch that stood still for two seconds counts as two seconds, in all of them',
      late([], { machine: [quietSecond(0), quietSecond(3)] }),
      [2_100, 2_100, 2_100, 2_100, 100, 100],
    ],
    ['a watch that missed nothing adds nothing', late([], { machine: [0, 1, 2, 3].map((second) => quietSecond(second)) }), nothing],
    ['both add up', late([30], { machine: [quietSecond(3, { idleAnswerMs: 40 })] }), in3(170)],
    ['a calibration within a tenth of the limit for 99 % adds nothing', late([], calibrated(50)), nothing],
    ['a calibration beyond it adds to every second', late([], calibrated(51)), nothing.map((ms) => ms + 51)],
    [
      'a calibration is not added twice to what the idle server took',
      machineIn3({ idleAnswerMs: 60 }, calibrated(51)),
      [151, 151, 160, 160, 160, 151],
    ],
    ['a calibration without answers adds nothing', late([30], calibrated(null)), in3(130)],
    ['nor does a client that was not calibrated', late([30], { client: { ...healthyMeasurement().client, calibration: null } }), in3(130)],
  ])('%s', (_what, measurement, expected) => {
    expect(allowed(measurement)).toEqual(expected);
  });
});

describe('CPU that others used', () => {
  test.each<[string, Measurement, number[]]>([
    ['was missing where nine tenths of the machine were busy', machineIn3({ cpu: cpu(0.9, 0.5) }), in3(200)],
    [
      'was missing in all seconds that one look tells of',
      late([], { machine: [quietSecond(1, { cpu: cpu(0.9, 0.5) }), quietSecond(3)] }),
      [2_200, 2_200, 2_200, 2_200, 100, 100],
    ],
    ['was not missing where less was', machineIn3({ cpu: cpu(0.89, 0.5) }), nothing],
    ['explains ten times the latency at most', machineIn3({ cpu: cpu(1, 0.95) }), in3(1_000)],
    ['explains nothing when it may have been the target that used it', machineIn3({ cpu: cpu(1, 0.5, null) }), nothing],
    ['explains nothing when it is not known', machineIn3({ cpu: null }), nothing],
    ['lengthens what the client added too', machineIn3({ cpu: cpu(1, 0.5), idleAnswerMs: 50 }), in3(300)],
  ])('%s', (_what, measurement, expected) => {
    expect(allowed(measurement)).toEqual(expected);
  });
});
