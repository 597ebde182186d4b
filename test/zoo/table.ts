import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { defects } from './defects.ts';
import type { Result } from './run-member.ts';
import { suites, type SuiteName } from './suites.ts';

const root = resolve(import.meta.dirname, '../..');
/** `kept`: results of earlier runs, so that a part can be run again. */
const places = { kept: join(root, 'loadtest/reports/zoo.json'), page: join(root, 'docs/zoo.md') };

/**
 * Adds results to those kept, and writes docs/zoo.md from all once every member has one: a page of a part would read as if
 * the others were not found.
 * @returns the members without a result, none when the page was written
 */
export async function publish(results: readonly Result[], { kept, page } = places): Promise<string[]> {
  const earlier = await readFile(kept, 'utf8').then(
    (text) => JSON.parse(text) as Record<string, Result>,
    () => ({}),
  );
  const all: Record<string, Result> = { ...earlier, ...Object.fromEntries(results.map((result) => [result.name, result])) };
  await mkdir(dirname(kept), { recursive: true });
  await writeFile(kept, `${JSON.stringify(all, null, 2)}\n`);
  const missing = defects.map(({ name }) => name).filter((name) => all[name] === undefined);
  if (missing.length > 0) return missing;
  await writeFile(page, markdown(all));
  await promisify(execFile)(join(root, 'node_modules/.bin/oxfmt'), [page]);
  return [];
}

/** The commit that is played, with `-dirty` behind it where files differ from it. */
export async function describeCommit(): Promise<string> {
  const { stdout } = await promisify(execFile)('git', ['describe', '--always', '--dirty', '--abbrev=9'], { cwd: root });
  return stdout.trim();
}

const cell = (text: string): string =>
  text
    .replaceAll('|', String.raw`\|`)
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[<>]/g, (sign) => (sign === '<' ? '&lt;' : '&gt;'));
const maxWitnessChars = 220;

/** @param results one of each defect at least */
function markdown(results: Readonly<Record<string, Result>>): string {
  const found = defects.filter(({ name }) => results[name]?.isRight === true).length;
  const commits = [...new Set(Object.values(results).map(({ commit }) => commit))];
  return `# The zoo

Private copies of the shop with one defect each, and what the suite that must find it makes of them. Each must be FAIL, with the
defect named by a check and a witness that can be looked up: an order, a key, a product, a request, a look at the pools.
\`npm run zoo\` runs them all and writes this page; \`npm run zoo -- NAME…\` runs some again, \`--suite\` those of one suite. How each is
seeded stands in \`test/zoo/defects/\`. Of \`ratelimit\` only the part in which a defect shows is played (counted by address, by customer, or in
Redis); runs against the shop as it is play all.

${found} of ${defects.length} found. Played on ${commits.join(', ')}.

${(Object.keys(suites) as SuiteName[]).map((suite) => section(suite, results)).join('\n')}`;
}

function section(suite: SuiteName, results: Readonly<Record<string, Result>>): string {
  const own = defects.filter(({ foundBy }) => foundBy === suite);
  const rows = own.map(({ name, kind, says }) => {
    const { verdict, namedAs, witness, isRight } = results[name] as Result;
    return `| ${name} | ${kind} | ${cell(says)} | ${verdict}${isRight ? '' : ' ✗'} | ${namedAs.join(', ')} | ${cell(witness.slice(0, maxWitnessChars))} |`;
  });
  const found = own.filter(({ name }) => results[name]?.isRight === true).length;
  const clean = Object.values(results).filter((result) => result.name.startsWith('clean') && result.suite === suite);
  const busy = clean.filter(({ name }) => name.includes('busy'));
  const count = (verdict: Result['verdict']): number => clean.filter((result) => result.verdict === verdict).length;
  return `## ${suite}: ${found} of ${own.length} found

By \`${suites[suite].command}\`. Runs against the shop as it is: ${clean.length}, ${busy.length} of them beside a busy core; ${count('PASS')} were PASS,
${count('INVALID')} INVALID (the machine was too busy to tell), ${count('FAIL')} FAIL.

| defect | kind | what is broken | verdict | named as | witness |
| --- | --- | --- | --- | --- | --- |
${rows.join('\n')}
`;
}
