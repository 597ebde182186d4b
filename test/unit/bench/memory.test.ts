import { expect, test } from 'vitest';
import { showMemory, type MemoryLook } from '#bench/memory.ts';

const look = (clients: number, requests: number, mebibytes: number): MemoryLook => ({
  clients,
  requests,
  stackBytes: mebibytes * 2 ** 20,
  apiBytes: (mebibytes / 2) * 2 ** 20,
});

test('the memory is shown before the clients came, after they came, about every fifth of the way, and at its end', () => {
  const looks = [
    look(0, 0, 300),
    look(400, 0, 350),
    ...Array.from({ length: 10 }, (_, index) => look(400, (index + 1) * 100, 400 + index)),
  ];
  const rows = showMemory(looks)
    .split('\n')
    .slice(2)
    .map((row) => row.split('|').map((cell) => cell.trim()));
  expect(rows.map(([, clients, requests, stack]) => [clients, requests, stack])).toEqual([
    ['0', '0', '300.0 MiB'],
    ['400', '0', '350.0 MiB'],
    ['400', '200', '401.0 MiB'],
    ['400', '400', '403.0 MiB'],
    ['400', '600', '405.0 MiB'],
    ['400', '800', '407.0 MiB'],
    ['400', '1,000', '409.0 MiB'],
  ]);
});
