import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createTraceOf, parseTraceparent, traceText } from '#api/observe/trace-context.ts';

const parent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const hex = (digits: number) => fc.string({ unit: fc.constantFrom(...'0123456789abcdef'.split('')), minLength: digits, maxLength: digits });
const isZero = (text: string): boolean => /^0+$/.test(text);

describe('a traceparent', () => {
  test('is taken over where it is valid, sampled as its flag says', () => {
    const ids = fc.tuple(hex(32), hex(16), hex(2)).filter(([traceId, spanId]) => !isZero(traceId) && !isZero(spanId));
    fc.assert(
      fc.property(ids, ([traceId, spanId, flags]) => {
        const isSampled = Number.parseInt(flags, 16) % 2 === 1;
        expect(parseTraceparent(`00-${traceId}-${spanId}-${flags}`)).toEqual({ traceId, spanId, isSampled });
      }),
    );
  });

  test.each([
    ['nothing', ''],
    ['a version that is none', parent.replace('00-', 'ff-')],
    ['a trace of zeros', parent.replace('4bf92f3577b34da6a3ce929d0e0e4736', '0'.repeat(32))],
    ['a span of zeros', parent.replace('00f067aa0ba902b7', '0'.repeat(16))],
    ['capitals', parent.toUpperCase()],
    ['too little', parent.slice(0, -1)],
    ['more than its version has', `${parent}-00`],
    ['two of them', `${parent}, ${parent}`],
    ['a line of its own', `${parent}\n`],
  ])('counts as none with %s', (_what, header) => {
    expect(parseTraceparent(header)).toBeUndefined();
  });

  test('of a later version is read as far as it is known', () => {
    expect(parseTraceparent(`${parent.replace('00-', 'cc-')}-what-the-future-brings`)).toEqual(parseTraceparent(parent));
  });
});

describe('a trace', () => {
  test('goes on with that of the caller, in a span of its own', () => {
    const trace = createTraceOf(1)(parent);
    expect(trace).toMatchObject({ traceId: '4bf92f3577b34da6a3ce929d0e0e4736', parentId: '00f067aa0ba902b7', isSampled: true });
    expect(trace.spanId).toMatch(/^[\da-f]{16}$/);
    expect(trace.spanId).not.toBe('00f067aa0ba902b7');
    expect(traceText(trace)).toBe(`00-4bf92f3577b34da6a3ce929d0e0e4736-${trace.spanId}-01`);
  });

  test('begins anew without one, and none is like another', () => {
    const traceOf = createTraceOf(1);
    const traces = Array.from({ length: 10_000 }, () => traceOf(undefined));
    expect(new Set(traces.map(({ traceId }) => traceId)).size).toBe(10_000);
    expect(new Set(traces.map(({ spanId }) => spanId)).size).toBe(10_000);
    for (const { traceId, spanId, parentId } of traces)
      expect(`${traceId} ${spanId} ${parentId}`).toMatch(/^[\da-f]{32} [\da-f]{16} undefined$/);
  });

  test('begun here is sampled in the share that is asked for, that of a caller as the caller decided, and none where nothing collects them', () => {
    const draws = [0, 0.09, 0.1, 0.5, 0.999];
    const sampled = (ratio: number | undefined, header?: string): boolean[] =>
      draws.map((draw) => createTraceOf(ratio, () => draw)(header).isSampled);
    expect(sampled(0.1)).toEqual([true, true, false, false, false]);
    expect(sampled(0)).toEqual(draws.map(() => false));
    expect(sampled(1)).toEqual(draws.map(() => true));
    expect(sampled(0, parent)).toEqual(draws.map(() => true));
    expect(sampled(1, parent.replace(/01$/, '00'))).toEqual(draws.map(() => false));
    expect(sampled(undefined, parent)).toEqual(draws.map(() => false));
  });
});
