import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { defects } from './defects.ts';
import type { Result } from './run-member.ts';

const root = resolve(import.meta.dirname, '../..');
/** Results of earlier runs, so that a part can be run again. */
const keptFile = join(root, 'loadtest/reports/zoo.json');
const page = join(root, 'docs/zoo.md');

/** Adds results to those known and writes docs/zoo.md from all. */
export async function publish(results: readonly Result[]): Promise<void> {
  const kept = await readFile(keptFile, 'utf8').then(
    (text) => JSON.parse(text) as Record<string, Result>,
    () => ({}),
  );
  const all: Record<string, Result> = { ...kept, ...Object.fromEntries(results.map((result) => [result.name, result])) };
  await mkdir(dirname(keptFile), { recursive: true });
  await writeFile(keptFile, `${JSON.stringify(all, null, 2)}\n`);
  await writeFile(page, markdown(all));
  await promisify(execFile)(join(root, 'node_modules/.bin/oxfmt'), [page]);
}

const cell = (text: string): string =>
  text
    .replaceAll('|', String.raw`\|`)
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[<>]/g, (sign) => (sign === '<' ? '&lt;' : '&gt;'));
const maxWitnessChars = 220;

function markdown(results: Readonly<Record<string, Result>>): string {
  const rows = defects.map(({ name, kind, says }) => {
    const { verdict = 'not run', namedAs = [], witness = '', isRight = false } = results[name] ?? {};
    return `| ${name} | ${kind} | ${cell(says)} | ${verdict}${isRight ? '' : ' ✗'} | ${namedAs.join(', ')} | ${cell(witness.slice(0, maxWitnessChars))} |`;
  });
  const found = defects.filter(({ name }) => results[name]?.isRight === true).length;
  const clean = Object.values(results).filter(({ name }) => name.startsWith('clean'));
  const busy = clean.filter(({ name }) => name.includes('busy'));
  const count = (verdict: Result['verdict']): number => clean.filter((result) => result.verdict === verdict).length;
  return `# The zoo

Private copies of the shop with one defect each, and what \`npm run loadtest -- users --duration 15s\` makes of them. Each
must be FAIL, with the defect named by a check and a witness that can be looked up: an order, a key, a product, a request.
\`npm run zoo\` runs them all and writes this page; \`npm run zoo -- NAME…\` runs some again. How each is seeded stands in
\`test/zoo/defects/\`.

${found} of ${defects.length} found. ${clean.length} runs against the shop as it is, ${busy.length} of them beside a busy core: ${count('PASS')} PASS,
${count('INVALID')} INVALID (the machine was too busy to tell), ${count('FAIL')} FAIL.

| defect | kind | what is broken | verdict | named as | witness |
| --- | --- | --- | --- | --- | --- |
${rows.join('\n')}
`;
}
