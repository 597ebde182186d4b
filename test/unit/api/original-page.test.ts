import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const page = readFileSync('docs/original.md', 'utf8');
const references = [...page.matchAll(/`((?:unit|integration|system)\/\S+\.test\.ts)`: (.+?) +\|$/gm)].map(([, file = '', name = '']) => ({
  file,
  name,
}));

test('each fault of the original that docs/original.md names is held by a test that is there', () => {
  const lost = references.filter(({ file, name }) => !readFileSync(`test/${file}`, 'utf8').includes(`'${name}'`));
  expect(lost).toEqual([]);
  const rows = page.split('\n').filter((line) => /^\| (?:[SCP]\d|\d+)/.test(line));
  expect([references.length, rows.length]).toEqual([rows.length, 11 + 14 + 8 + 15]);
});
