import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { missingEntries, setsUnknownParameter, withoutUnknownParameter } from '#backups/postgres/archive.ts';

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

describe('owners and grants in the list of a dump', () => {
  const schema = {
    'owner of table public.orders': 'shop',
    'grants on table public.orders': 'app: INSERT by shop, shop: SELECT by shop',
    'owner of view public."Odd name"': 'shop',
    'grants on view public."Odd name"': 'shop: SELECT by shop',
    'grants on function public.f(integer)': 'PUBLIC: EXECUTE by shop',
  };
  const list = [
    ';',
    '; Dumped from database version: 15.18',
    '215; 1259 16386 TABLE public orders shop',
    '216; 1259 16390 VIEW public Odd name shop',
    '3300; 0 0 ACL public TABLE orders shop',
  ];

  test('are found', () => {
    expect(missingEntries(list, schema)).toEqual([]);
  });

  test('are missed, each by its name', () => {
    const others = list.filter((line) => !line.includes('ACL')).map((line) => line.replace('Odd name shop', 'Odd name postgres'));
    expect(missingEntries(others, schema)).toEqual([
      'grants on table public.orders are not in the dump',
      'owner of view public."Odd name" is not shop in the dump',
    ]);
  });
});
