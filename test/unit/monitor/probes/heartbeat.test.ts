import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseBeat, type Beat, type BeatRecord } from '#monitor/model/beat.ts';
import { createBeats } from '#monitor/probes/beats.ts';
import { judgeHeartbeat } from '#monitor/probes/heartbeat.ts';
import { MonitorFaultError } from '#monitor/probes/probe.ts';

const minute = 60_000;
const hour = 60 * minute;
const target = { every: hour, grace: 5 * minute, longest: 20 * minute };

/** A job and a monitor that can be killed, in virtual time on both clocks. */
function createPlay() {
  const records = new Map<string, BeatRecord>();
  const ledger = { all: () => [...records.values()], write: (record: BeatRecord) => void records.set(record.probe, record) };
  const now = { at: Date.parse('2026-11-26T00:00:00Z'), clockMs: 0 };
  const start = () => createBeats({ ledger, clock: () => ({ ...now }) });
  let beats = start();
  beats.of('job');
  return {
    pass: (ms: number) => {
      now.at += ms;
      now.clockMs += ms;
    },
    turnClock: (ms: number) => void (now.at += ms),
    say: (beat: Beat) => beats.hear('job', beat),
    restart: () => void (beats = start()),
    look: () => {
      try {
        return judgeHeartbeat(target, beats.of('job'), { now, listeningSince: beats.listeningSince });
      } catch (err) {
        if (err instanceof MonitorFaultError) return { outcome: 'unknown', detail: err.message };
        throw err;
      }
    },
  };
}

describe('a job', () => {
  test('that ends well in time is ok, and has failed once it is later than its grace', () => {
    const play = createPlay();
    play.pass(10 * minute);
    play.say({ says: 'done' });
    play.pass(65 * minute);
    expect(play.look()).toEqual({ outcome: 'ok', detail: 'it ended well at 2026-11-26 00:10:00 UTC' });
    play.pass(1);
    expect(play.look()).toMatchObject({
      outcome: 'failed',
      detail: expect.stringMatching(/it is due every 1 h$/),
      nextStep: { code: 'seeJob' },
    });
  });

  test('that has never said anything has failed after the same time', () => {
    const play = createPlay();
    play.pass(65 * minute);
    expect(play.look().outcome).toBe('ok');
    play.pass(1);
    expect(play.look()).toMatchObject({ outcome: 'failed', detail: expect.stringContaining('never said') });
  });

  test('that failed stays so, over a start, until it ends well', () => {
    const play = createPlay();
    play.say({ says: 'fail', exitCode: 3 });
    expect(play.look()).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining('it ended with code 3 at 2026-11-26 00:00:00 UTC'),
    });
    play.say({ says: 'start' });
    expect(play.look().outcome).toBe('failed');
    play.restart();
    expect(play.look().outcome).toBe('failed');
    play.say({ says: 'done' });
    expect(play.look().outcome).toBe('ok');
  });

  test('that runs for too long has failed, also when the monitor was started anew meanwhile', () => {
    const play = createPlay();
    play.say({ says: 'start' });
    play.pass(10 * minute);
    play.restart();
    play.pass(10 * minute);
    expect(play.look().outcome).toBe('ok');
    play.pass(1);
    expect(play.look()).toMatchObject({ outcome: 'failed', detail: expect.stringContaining('it has run for 20 m') });
  });

  test('that was due while no monitor ran is unknown, until the monitor has listened for as long as it may be silent', () => {
    const play = createPlay();
    play.say({ says: 'done' });
    play.pass(3 * hour);
    play.restart();
    expect(play.look()).toMatchObject({ outcome: 'unknown', detail: expect.stringContaining('while the monitor did not run') });
    play.pass(65 * minute);
    expect(play.look().outcome).toBe('unknown');
    play.pass(1);
    expect(play.look().outcome).toBe('failed');
  });

  test('is judged alike however the clock of the machine is turned', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e11, max: 1e11 }), fc.integer({ min: 0, max: 65 * minute }), (turn, silent) => {
        const play = createPlay();
        play.say({ says: 'done' });
        play.turnClock(turn);
        play.pass(silent);
        expect(play.look().outcome).toBe('ok');
        play.pass(65 * minute - silent + 1);
        expect(play.look().outcome).toBe('failed');
      }),
    );
  });

  test('is not waited for any longer because the clock was set back while no monitor ran', () => {
    const play = createPlay();
    play.say({ says: 'done' });
    play.turnClock(-10 * hour);
    play.restart();
    play.pass(65 * minute);
    expect(play.look().outcome).toBe('ok');
    play.pass(1);
    expect(play.look().outcome).toBe('failed');
  });

  test('that always says it in time has never failed, whenever the monitor is killed', () => {
    const step = fc.record({ restart: fc.boolean(), ms: fc.integer({ min: 0, max: 65 * minute }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        const play = createPlay();
        for (const { restart, ms } of steps) {
          play.pass(ms);
          if (restart) play.restart();
          expect(play.look().outcome).toBe('ok');
          play.say({ says: 'done' });
        }
      }),
    );
  });
});

test.each([
  ['', { says: 'done' }],
  ['0', { says: 'done' }],
  ['start', { says: 'start' }],
  ['fail', { says: 'fail' }],
  ['255', { says: 'fail', exitCode: 255 }],
  ['256', undefined],
  ['-1', undefined],
  ['stop', undefined],
])('the end %j of an address says %j', (text, beat) => {
  expect(parseBeat(text)).toEqual(beat);
});
