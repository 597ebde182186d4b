import { describe, expect, test } from 'vitest';
import { concludeOn } from '#loadtest/pool/conclusion.ts';
import type { Recording, Settings } from '#loadtest/pool/recording.ts';
import { playSuite } from '#loadtest/pool/suite.ts';
import { simulatePool, type Flaw } from './simulated-pool.ts';

const settings: Settings = { workers: 2, size: 2, overflow: 2, timeoutMs: 2_000, recycleMs: 20_000, idleMs: 10_000 };

async function record(flaw: Flaw | undefined, changed: Partial<Settings> = {}, leakRequests = 16): Promise<Recording> {
  const { port, time } = simulatePool({ ...settings, ...changed }, flaw);
  return time.run(playSuite({ settings: { ...settings, ...changed }, port, leakRequests }));
}

const outcomesOf = (recording: Recording): Record<string, string> =>
  Object.fromEntries(concludeOn(recording).judged.map(({ check, finding }) => [check.id.split(' ')[0] ?? '', finding.outcome]));

const sound = Object.fromEntries(Array.from({ length: 14 }, (_, i) => [`P${i + 1}`, i === 4 ? 'NOT CHECKED' : 'PASS']));

test('a pool that is as it should be keeps all properties; its size is for size-pool to say', async () => {
  expect(outcomesOf(await record(undefined))).toEqual(sound);
});

const flaws: Readonly<Record<Exclude<Flaw, 'one connection too few'>, string>> = {
  'no cap': 'P1',
  'timeout twice as long': 'P6',
  'no timeout': 'P6',
  'refuses at once': 'P6',
  '500 instead of 503': 'P6',
  'no Retry-After': 'P6',
  'leaks when the client leaves': 'P10',
  'leaks on 404': 'P10',
  'leaks on timeout': 'P10',
  'a transaction takes two connections': 'P11',
  'never shrinks': 'P8',
  'opens one for everyone who waits': 'P8',
  'leaks on a 500': 'P10',
  'never recycles': 'P9',
  'slow requests first': 'P13',
  'lets quick requests wait for slow ones': 'P13',
  'leaks when the client leaves at once': 'P10',
  'leaks on one route of many': 'P10',
  'collapses in overload': 'P7',
  'stays slow after overload': 'P7',
  'keeps dead connections': 'P12',
  'lends dead connections': 'P12',
  'counts failed connections': 'P12',
  'closes connections below the size': 'P8',
  'uses a connection once': 'P9',
  'opens half': 'P1',
  'serves the last first': 'P13',
  'leaks on a failed transaction': 'P10',
  'leaves a failed transaction open': 'P10',
  'is told as down when busy': 'P14',
  'is told with another capacity': 'P14',
};

test('a pool with no connection left, so that every request waits for its timeout, is looked at for a bounded time, and fails all the same', async () => {
  const recording = await record('leaks on 404', {}, 800);
  const { fromMs, toMs } = recording.stages['leaks'] ?? { fromMs: 0, toMs: Infinity };
  expect(toMs - fromMs).toBeLessThan(400_000);
  expect(concludeOn(recording).verdict).toBe('FAIL');
});

test('a canceled run asks nothing more', async () => {
  const { port, time } = simulatePool(settings, undefined);
  const canceled = new AbortController();
  let asked = 0;
  const playing = playSuite({
    settings,
    leakRequests: 400,
    onStage: (name) => name === 'leaks' && canceled.abort(new Error('canceled')),
    port: {
      ...port,
      waitUntil: (atMs) => (canceled.signal.aborted ? Promise.reject(canceled.signal.reason as Error) : port.waitUntil(atMs)),
      lane: () => {
        const lane = port.lane();
        return { ...lane, send: (kind) => ((asked += canceled.signal.aborted ? 1 : 0), lane.send(kind)) };
      },
    },
  });
  await expect(time.run(playing)).rejects.toThrow('canceled');
  expect(asked).toBe(0);
});

describe('a broken pool fails, and what is broken is named', () => {
  test.each(Object.entries(flaws) as [Flaw, string][])('%s: %s', async (flaw, id) => {
    const { verdict, judged } = concludeOn(await record(flaw));
    const failed = judged.filter(({ finding }) => finding.outcome === 'FAIL' && finding.witnesses.length > 0);
    expect({ verdict, named: failed.map(({ check }) => check.id.split(' ')[0]) }).toEqual({
      verdict: 'FAIL',
      named: expect.arrayContaining([id]),
    });
  });
});

test('a pool that was never full proves nothing', async () => {
  const recording = await record('one connection too few');
  expect(outcomesOf(recording)).toMatchObject({ P1: 'INVALID' });
});

test('requests that could not be made to end in a 500 prove nothing of what such ones leave behind', async () => {
  const recording = await record(undefined);
  const exchanges = recording.exchanges.map((one) => (one.kind === 'broken' ? { ...one, status: 404 } : one));
  expect(outcomesOf({ ...recording, exchanges })).toMatchObject({ P10: 'INVALID' });
});

test('without a lifetime P9 is not supported', async () => {
  expect(outcomesOf(await record(undefined, { recycleMs: 0 }))).toMatchObject({ P9: 'NOT SUPPORTED' });
});

test('a refusal that is late by no more than its client is neither for nor against the service', async () => {
  const recording = await record(undefined);
  const later = recording.exchanges.map((one) =>
    one.stage === 'hold' && one.status === 503 ? { ...one, endedMs: one.endedMs + 400 } : one,
  );
  expect(outcomesOf({ ...recording, exchanges: later })).toMatchObject({ P6: 'FAIL' });
  const readings = recording.readings.map((one) => ({ ...one, lateMs: 250 }));
  expect(outcomesOf({ ...recording, exchanges: later, readings })).toMatchObject({ P6: 'INVALID' });
});

test('a connection whose lifetime ended in rest is not missed among those that are kept', async () => {
  const recording = await record(undefined);
  const rest = recording.readings.filter(({ stage }) => stage === 'shrink');
  const gone = rest.at(-1)?.sessions?.[0]?.pid;
  const aged = (ageMs: number): Recording['readings'] =>
    recording.readings.map((one) => {
      const sessions = (one.sessions ?? []).map((session) => (session.pid === gone ? { ...session, ageMs } : session));
      return { ...one, sessions: one === rest.at(-1) ? sessions.filter(({ pid }) => pid !== gone) : sessions };
    });
  expect(outcomesOf({ ...recording, readings: aged(19_900) })).toMatchObject({ P8: 'PASS' });
  expect(outcomesOf({ ...recording, readings: aged(15_000) })).toMatchObject({ P8: 'FAIL' });
});

/** What P13 says of the line alone. */
const ofLine = async (flaw: Flaw | undefined): Promise<string | undefined> => {
  const { exchanges, ...recording } = await record(flaw);
  const inLine = exchanges.filter(({ stage }) => stage === 'line');
  return concludeOn({ ...recording, exchanges: inLine }).judged.find(({ check }) => check.id === 'P13 fairness')?.finding.says;
};

test('a line that is served from its end is known by those who overtook, whatever else was starved', async () => {
  expect(await ofLine('serves the last first')).toMatch(/^[3-9] requests waited each within the wait of the one before, in 2 queues/);
  expect(await ofLine(undefined)).not.toMatch(/requests waited/);
});

/** As it would have been on a machine that had no CPU left. */
const exhausted = (recording: Recording): Recording => ({
  ...recording,
  readings: recording.readings.map((one) => ({ ...one, cpu: { all: one.atMs, idle: 0 } })),
});

const withLateRefusals = (recording: Recording): Recording => ({
  ...recording,
  exchanges: recording.exchanges.map((one) => (one.stage === 'hold' && one.status === 503 ? { ...one, endedMs: one.endedMs + 900 } : one)),
});

test('what a machine without CPU makes too proves nothing', async () => {
  const late = withLateRefusals(await record(undefined));
  const recordings = {
    P6: late,
    P7: await record('collapses in overload'),
    P11: await record('a transaction takes two connections'),
    P14: await record('is told as down when busy'),
  };
  for (const [id, recording] of Object.entries(recordings))
    expect([id, outcomesOf(recording)[id], outcomesOf(exhausted(recording))[id]]).toEqual([id, 'FAIL', 'INVALID']);
});

test('connections that were opened once more prove nothing where there was no CPU to open them in time; more than that do', async () => {
  const recording = await record(undefined);
  const openedMore = (count: number): Recording => {
    const last = recording.readings.findLast(({ stage }) => stage === 'hold');
    return {
      ...recording,
      readings: recording.readings.map((one) => (one === last ? { ...one, opened: (one.opened ?? 0) + count } : one)),
    };
  };
  const outcomes = (count: number) => [openedMore(count), exhausted(openedMore(count))].map((one) => outcomesOf(one)['P8']);
  expect([3, 4, 11, 12].map(outcomes)).toEqual([
    ['PASS', 'PASS'],
    ['FAIL', 'INVALID'],
    ['FAIL', 'INVALID'],
    ['FAIL', 'FAIL'],
  ]);
});

test.each([
  ['no cap', 'P1'],
  ['500 instead of 503', 'P6'],
  ['lends dead connections', 'P12'],
  ['counts failed connections', 'P12'],
] as const)('what no want of CPU makes is a failure on such a machine too: %s', async (flaw, id) => {
  expect(outcomesOf(exhausted(await record(flaw)))).toMatchObject({ [id]: 'FAIL' });
});

test('what cannot be seen is not checked', async () => {
  const recording = await record(undefined);
  const blind = recording.readings.map((one) => ({
    ...one,
    inUse: null,
    waiting: null,
    capacity: null,
    sessions: null,
    opened: null,
    health: null,
    cpu: null,
  }));
  const mute = recording.exchanges.map((one) => ({ ...one, waitMs: null, holdMs: null }));
  const outcomes = outcomesOf({ ...recording, readings: blind, exchanges: mute, loss: null });
  expect(outcomes).toMatchObject({
    P1: 'INVALID',
    P2: 'NOT CHECKED',
    P3: 'NOT CHECKED',
    P8: 'NOT CHECKED',
    P9: 'NOT CHECKED',
    P10: 'NOT CHECKED',
    P12: 'NOT CHECKED',
    P14: 'NOT CHECKED',
  });
});

test('quick requests that are refused beside slow ones of the same moment were not put behind them; refused alone they were', async () => {
  const recording = await record(undefined);
  const [slow] = recording.exchanges.filter((one) => one.stage === 'saturated' && one.kind === 'slow');
  const [quick] = recording.exchanges.filter((one) => one.stage === 'saturated' && one.kind === 'quick');
  const refuse = (...which: readonly unknown[]): Recording => ({
    ...recording,
    exchanges: recording.exchanges.map((one) => (which.includes(one) ? { ...one, status: 503, sentMs: slow?.sentMs ?? 0 } : one)),
  });
  expect(outcomesOf(refuse(quick))).toMatchObject({ P13: 'FAIL' });
  expect(outcomesOf(refuse(quick, slow))).toMatchObject({ P13: 'PASS' });
});
