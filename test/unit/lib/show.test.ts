import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  compactStamp,
  parseDuration,
  showBytes,
  showCount,
  showCountOf,
  showDuration,
  showShare,
  showTime,
  writeDuration,
} from '#lib/show.ts';

describe('parseDuration', () => {
  test.each([
    ['250ms', 250],
    ['90s', 90_000],
    ['1h30m', 5_400_000],
    ['1 h 30 m', 5_400_000],
    ['7d', 604_800_000],
    ['1.5s', 1_500],
    [' 2m ', 120_000],
    ['0', 0],
    ['0s', 0],
  ])('reads %s as %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  test.each(['', '30', '-3s', '1x', 's', '1m1m', '30m1h', '1s 500', 'Infinitys', '1e3s', `${'9'.repeat(400)}d`])(
    'takes %o for no duration',
    (text) => {
      expect(parseDuration(text)).toBeUndefined();
    },
  );

  test('reads back to the millisecond what writeDuration wrote', () => {
    fc.assert(
      fc.property(fc.nat(), (ms) => {
        expect(parseDuration(writeDuration(ms))).toBe(ms);
      }),
    );
  });

  test('neither throws nor gives anything but a finite duration, whatever it is given', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\d. dhms]*$/)), (text) => {
        const ms = parseDuration(text);
        expect(ms === undefined || (Number.isFinite(ms) && ms >= 0)).toBe(true);
      }),
    );
  });
});

describe('showDuration', () => {
  test.each([
    [-5, '0 ms'],
    [0, '0 ms'],
    [0.42, '0.4 ms'],
    [9.96, '10 ms'],
    [12.3, '12 ms'],
    [999.6, '1 s'],
    [1_250, '1.25 s'],
    [30_000, '30 s'],
    [48_310, '48.3 s'],
    [59_960, '1 m'],
    [192_000, '3 m 12 s'],
    [3_600_000, '1 h'],
    [3_605_000, '1 h'],
    [93_600_000, '1 d 2 h'],
  ])('shows %d ms as %s', (ms, text) => {
    expect(showDuration(ms)).toBe(text);
  });

  test('reads back as what was shown, within half a hundredth up to a minute and within the smaller unit beyond', () => {
    fc.assert(
      fc.property(fc.double({ min: 1, max: 1e10, noNaN: true }), (ms) => {
        const shown = parseDuration(showDuration(ms)) ?? Number.NaN;
        const tolerance = ms < 59_950 ? ms * 0.05 : ms < 3_600_000 ? 500 : ms < 86_400_000 ? 60_000 : 3_600_000;
        expect(Math.abs(shown - ms)).toBeLessThanOrEqual(tolerance);
      }),
    );
  });
});

describe('showBytes', () => {
  test.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1.0 KiB'],
    [1536, '1.5 KiB'],
    [1024 ** 2 - 1, '1.0 MiB'],
    [12.34 * 1024 ** 2, '12.3 MiB'],
    [3 * 1024 ** 5, '3072.0 TiB'],
  ])('shows %d as %s', (bytes, text) => {
    expect(showBytes(bytes)).toBe(text);
  });

  test('never shows a size smaller as the bytes grow', () => {
    const scale = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 };
    const read = (text: string): number => Number(text.split(' ')[0]) * scale[text.split(' ')[1] as keyof typeof scale];
    fc.assert(
      fc.property(fc.nat({ max: 2 ** 50 }), fc.nat({ max: 2 ** 50 }), (a, b) => {
        expect(read(showBytes(Math.max(a, b)))).toBeGreaterThanOrEqual(read(showBytes(Math.min(a, b))));
      }),
    );
  });
});

test('counts, shares and times are shown the same everywhere', () => {
  expect([showCount(1_234_567), showShare(0.003_1), showShare(0.125), showTime('2026-11-25T19:38:14.912Z')]).toEqual([
    '1,234,567',
    '0.31 %',
    '12.5 %',
    '2026-11-25 19:38:14 UTC',
  ]);
});

test('what is counted is in the singular when it is one', () => {
  expect([0, 1, 2, 1_200].map((count) => showCountOf(count, 'request'))).toEqual([
    '0 requests',
    '1 request',
    '2 requests',
    '1,200 requests',
  ]);
});

describe('compact stamps', () => {
  test('are the second in UTC, and sort by time', () => {
    expect(compactStamp(new Date('2026-11-25T19:38:14.912Z'))).toBe('20261125T193814Z');
    const time = fc.date({ min: new Date('0001-01-01T00:00:00Z'), max: new Date('9999-12-31T23:59:59Z'), noInvalidDate: true });
    fc.assert(
      fc.property(time, time, (a, b) => {
        expect(compactStamp(a)).toMatch(/^\d{8}T\d{6}Z$/);
        expect(compactStamp(a) <= compactStamp(b) || a > b).toBe(true);
      }),
    );
  });
});
