import { assert, date, property } from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { useLightUtc } from '#monitor/daemon/light-utc.ts';

const { DateTimeFormat } = Intl;

afterEach(() => {
  Intl.DateTimeFormat = DateTimeFormat;
});

/** As node-cron asks them. */
const questions = [
  {
    timeZone: 'UTC',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    weekday: 'short',
    hour12: false,
  },
  { timeZone: 'UTC', timeZoneName: 'shortOffset' },
] as const;

/** The parts node-cron reads, with the hours of midnight as it takes them. */
function read(format: Intl.DateTimeFormat, moment: Date, types: readonly string[]): Record<string, string> {
  const parts = format.formatToParts(moment).filter(({ type }) => types.includes(type));
  return Object.fromEntries(parts.map(({ type, value }) => [type, type === 'hour' && value === '24' ? '00' : value]));
}

test('of any moment from 1970 to 2200 the light answers are those of V8', () => {
  useLightUtc();
  expect(Intl.DateTimeFormat).not.toBe(DateTimeFormat);
  const moments = date({ min: new Date(0), max: new Date('2200-01-01'), noInvalidDate: true });
  const types = ['weekday', 'year', 'month', 'day', 'hour', 'minute', 'second'];
  assert(
    property(moments, (moment) => {
      const [parts, offset] = questions;
      expect(read(new Intl.DateTimeFormat('en-US', parts), moment, types)).toEqual(read(new DateTimeFormat('en-US', parts), moment, types));
      expect(read(new Intl.DateTimeFormat('en-US', offset), moment, ['timeZoneName'])).toEqual(
        read(new DateTimeFormat('en-US', offset), moment, ['timeZoneName']),
      );
    }),
  );
});

test('whatever else is asked goes to V8', () => {
  useLightUtc();
  const asked = { timeZone: 'Europe/Madrid', dateStyle: 'full' } as const;
  expect(new Intl.DateTimeFormat('es', asked).format(0)).toBe('jueves, 1 de enero de 1970');
  expect(new Intl.DateTimeFormat('de', { timeZone: 'UTC', month: 'long' }).format(0)).toBe('Januar');
});
