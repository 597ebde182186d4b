import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { setsUnknownParameter, withoutUnknownParameter } from '#backups/postgres/restore.ts';

describe('a newer pg_restore before an older server', () => {
  test('begins with a setting the server does not know only across version 17', () => {
    expect([
      setsUnknownParameter(17, 15),
      setsUnknownParameter(18, 16),
      setsUnknownParameter(16, 15),
      setsUnknownParameter(18, 17),
    ]).toEqual([true, true, false, false]);
  });

  test('loses that line and no other byte, wherever the text is cut into chunks', async () => {
    const head = '--\n-- PostgreSQL database dump\n--\n\nSET lock_timeout = 0;\n';
    const unknown = 'SET transaction_timeout = 0;\n';
    const tail = Buffer.concat([
      Buffer.from("SET client_encoding = 'UTF8';\n"),
      Buffer.from([0xff, 0xfe, 0x00, 0x80]),
      Buffer.alloc(40_000, 'x\n'),
      Buffer.from(unknown),
    ]);
    const text = Buffer.concat([Buffer.from(head + unknown), tail]);
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: text.length }), { maxLength: 6 }), async (cuts) => {
        const edges = [0, ...cuts.toSorted((a, b) => a - b), text.length];
        const chunks = edges.slice(1).map((end, index) => text.subarray(edges[index], end));
        const cleaned = await buffer(Readable.from(chunks).pipe(withoutUnknownParameter()));
        expect(cleaned.equals(Buffer.concat([Buffer.from(head), tail]))).toBe(true);
      }),
      { numRuns: 50 },
    );
  });
});
