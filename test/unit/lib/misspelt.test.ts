import { expect, test } from 'vitest';
import { nearestWord } from '#lib/misspelt.ts';

const known = ['SMTP_URL', 'MONITOR_PORT', 'API_URL'];

test.each([
  ['MONITOR_PRT', 'MONITOR_PORT'],
  ['MONITOR_RT', 'MONITOR_PORT'],
  ['MONITOR_PORTES', 'MONITOR_PORT'],
  ['MONITOR_PROT', 'MONITOR_PORT'],
  ['SMPT_ULR', 'SMTP_URL'],
])('%s probably means %s', (word, meant) => expect(nearestWord(word, known)).toBe(meant));

test.each(['MONITOR_P', 'MONITOR_PORTALE', 'PATH'])('%s means none of them: it is more than two slips away', (word) =>
  expect(nearestWord(word, known)).toBeUndefined(),
);
