import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { maintenanceSchema } from '#monitor/config/maintenance-schema.ts';
import { maintenanceOf, momentOf, nextWindow, windowAt, type Maintenance } from '#monitor/quiet/maintenance.ts';

const planned = (given: object): Maintenance => maintenanceSchema.parse({ name: 'nightly', start: '02:00', for: '90m', ...given });
const at = (iso: string): number => Date.parse(iso);

describe('planned work', () => {
  test('that comes every day lasts from its start until its time is over, in UTC', () => {
    const nightly = planned({});
    expect(windowAt(nightly, at('2026-11-26T01:59:59.999Z'))).toBeUndefined();
    expect(windowAt(nightly, at('2026-11-26T02:00:00Z'))).toEqual({ startsAt: at('2026-11-26T02:00Z'), endsAt: at('2026-11-26T03:30Z') });
    expect(windowAt(nightly, at('2026-11-26T03:30:00Z'))).toBeUndefined();
    expect(nextWindow(nightly, at('2026-11-26T02:00:00Z'))?.startsAt).toBe(at('2026-11-27T02:00Z'));
  });

  test('on days of the week is by the days of its own zone', () => {
    // Saturday, 00:30 in Auckland is still Friday in UTC.
    const saturday = planned({ start: '00:30', for: '1h', days: ['sat'], timeZone: 'Pacific/Auckland' });
    expect(windowAt(saturday, at('2026-11-27T11:45:00Z'))?.startsAt).toBe(at('2026-11-27T11:30Z'));
    expect(windowAt(saturday, at('2026-11-28T11:45:00Z'))).toBeUndefined();
    expect(nextWindow(saturday, at('2026-11-28T11:45:00Z'))?.startsAt).toBe(at('2026-12-04T11:30Z'));
  });

  test('of one day comes once', () => {
    const move = planned({ start: '2026-12-01T20:00', for: '3h', timeZone: 'Europe/Madrid' });
    expect(nextWindow(move, at('2026-11-26T00:00Z'))).toEqual({ startsAt: at('2026-12-01T19:00Z'), endsAt: at('2026-12-01T22:00Z') });
    expect(windowAt(move, at('2026-12-01T21:59Z'))).toBeDefined();
    expect(nextWindow(move, at('2026-12-01T19:00Z'))).toBeUndefined();
  });

  test('on the night clocks are set forward begins by as much later, and at the first of two equal hours when they are set back', () => {
    const madrid = planned({ start: '02:30', for: '1h', timeZone: 'Europe/Madrid' });
    expect(nextWindow(madrid, at('2026-03-28T12:00Z'))).toEqual({ startsAt: at('2026-03-29T01:30Z'), endsAt: at('2026-03-29T02:30Z') });
    expect(nextWindow(madrid, at('2026-10-24T12:00Z'))).toEqual({ startsAt: at('2026-10-25T00:30Z'), endsAt: at('2026-10-25T01:30Z') });
  });

  test('of some targets leaves the others alone', () => {
    const now = at('2026-11-26T02:10:00Z');
    const some = [planned({ targets: ['postgresql'] })];
    expect(maintenanceOf('postgresql', some, now)).toEqual({ kind: 'maintenance', name: 'nightly', until: at('2026-11-26T03:30Z') });
    expect(maintenanceOf('api', some, now)).toBeUndefined();
    expect(maintenanceOf('api', [planned({})], now)).toBeDefined();
  });
});

const zones = ['UTC', 'Europe/Madrid', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'Pacific/Auckland', 'America/St_Johns'];

/** What the clocks of a zone show, as V8 writes it. */
function shownIn(timeZone: string, moment: number): string {
  const format = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' });
  return format.format(moment);
}

describe('over two years of days in seven zones', () => {
  const minute = fc.integer({ min: 0, max: 1_439 });
  const day = fc.integer({ min: 0, max: 730 }).map((days) => Date.UTC(2026, 0, 1) + days * 86_400_000);

  test('planned work begins when the clocks of its zone show its time, or never showed it that day', () => {
    fc.assert(
      fc.property(fc.constantFrom(...zones), day, minute, (zone, date, minuteOfDay) => {
        const wanted = new Date(date + minuteOfDay * 60_000).toISOString().slice(0, 16).replace('T', ' ');
        const moment = momentOf(date + minuteOfDay * 60_000, zone);
        if (shownIn(zone, moment) === wanted) return;
        const around = Array.from({ length: 24 * 60 + 1 }, (_, index) => moment + (index - 720) * 60_000);
        expect(around.map((each) => shownIn(zone, each))).not.toContain(wanted);
      }),
      { numRuns: 300 },
    );
  }, 60_000);

  test('a daily window lasts its time exactly, comes once a day, and nextWindow finds each', () => {
    fc.assert(
      fc.property(fc.constantFrom(...zones), day, minute, (timeZone, date, minuteOfDay) => {
        const start = new Date(minuteOfDay * 60_000).toISOString().slice(11, 16);
        const daily = planned({ start, for: '90m', timeZone });
        const first = nextWindow(daily, date);
        const second = nextWindow(daily, first?.startsAt ?? 0);
        if (!first || !second) throw new Error('a daily window never comes');
        expect(first.endsAt - first.startsAt).toBe(90 * 60_000);
        expect(Math.abs(second.startsAt - first.startsAt - 86_400_000)).toBeLessThanOrEqual(3_600_000);
        expect(windowAt(daily, first.startsAt)).toEqual(first);
        expect(windowAt(daily, first.endsAt - 1)).toEqual(first);
        expect(windowAt(daily, first.endsAt)).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  }, 60_000);
});

test.each([
  [{ start: '2am' }, 'must be a time such as 02:00'],
  [{ start: '24:00' }, 'must be a time such as 02:00'],
  [{ start: '2026-02-30T02:00' }, 'there is no such day'],
  [{ start: '2026-12-01T20:00', days: ['sat'] }, 'names its one day'],
  [{ timeZone: 'Europe/Atlantis' }, 'must be the name of a time zone'],
  [{ for: '8d' }, 'must be a duration from 1m to 7d'],
])('a window of %j is refused: %s', (given, message) => {
  expect(() => planned(given)).toThrow(message);
});
