import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, matchesGlob, resolve } from 'node:path';
import { scoreOf, showScores, type MutationReport } from './report.ts';
import { subjects, type Subject } from './subjects.ts';

const leastScore = 0.85;
const root = resolve(import.meta.dirname, '../..');
const page = join(root, 'docs/mutation.md');

const help = `Breaks the code and counts what the tests notice (StrykerJS); exit 1 when a subject stays below ${leastScore * 100} %.

Usage: npm run mutate [-- SUBJECT…]

  SUBJECT  ${subjects.map(({ name }) => name).join(', ')}

Without a subject all are run, and docs/mutation.md is written anew; with subjects, the changes no test noticed are listed here.`;

const asked = process.argv.slice(2);
if (asked.includes('--help') || asked.includes('-h')) process.stdout.write(`${help}\n`);
else process.exitCode = mutate(asked);

function mutate(names: readonly string[]): number {
  const unknown = names.filter((name) => !subjects.some((subject) => subject.name === name));
  if (unknown.length > 0) {
    process.stderr.write(`error: no subject is called ${unknown.join(', ')}; there are ${subjects.map(({ name }) => name).join(', ')}\n`);
    return 64;
  }
  if (!install()) return 1;
  const selected = names.length === 0 ? subjects : subjects.filter(({ name }) => names.includes(name));
  const report = runStryker(selected);
  if (!report) return 1;
  const scores = selected.map((subject) => scoreOf(subject, report, (file) => isOf(subject, file)));
  for (const { subject, killed, mutants, score, survivors } of scores) {
    process.stdout.write(`${subject}: ${killed} of ${mutants} noticed, ${(score * 100).toFixed(1)} %\n`);
    if (names.length > 0) for (const survivor of survivors) process.stdout.write(`  ${survivor}\n`);
  }
  if (names.length === 0) writeFileSync(page, showScores(scores, leastScore));
  return scores.every(({ score }) => score >= leastScore) ? 0 : 1;
}

function isOf({ mutate: globs }: Subject, file: string): boolean {
  const excluded = globs.some((glob) => glob.startsWith('!') && matchesGlob(file, glob.slice(1)));
  return !excluded && globs.some((glob) => matchesGlob(file, glob));
}

/** Stryker is no dependency of the project, so that who only starts or tests it does not carry it. */
function install(): boolean {
  if (existsSync(join(import.meta.dirname, 'node_modules/@stryker-mutator/core'))) return true;
  return run('npm', ['ci', '--loglevel=error'], import.meta.dirname);
}

function runStryker(selected: readonly Subject[]): MutationReport | undefined {
  const dir = mkdtempSync(join(tmpdir(), 'atalaya-mutate-'));
  const jsonReport = join(dir, 'report.json');
  const config = {
    mutate: selected.flatMap((subject) => subject.mutate),
    testRunner: 'vitest',
    plugins: [join(import.meta.dirname, 'node_modules/@stryker-mutator/vitest-runner/dist/src/index.js')],
    vitest: { configFile: 'test/mutation/vitest.config.ts', related: false },
    // TypeScript 7 has no programming interface that Stryker could rewrite its configuration with; nothing here needs it.
    tsconfigFile: 'none.json',
    ignorePatterns: ['.local', 'loadtest/reports', 'test/mutation/node_modules', 'docs/images'],
    reporters: process.stdout.isTTY ? ['progress', 'json'] : ['progress-append-only', 'json'],
    jsonReporter: { fileName: jsonReport },
    tempDirName: join(dir, 'sandbox'),
    concurrency: 2,
    timeoutMS: 10_000,
  };
  try {
    writeFileSync(join(dir, 'stryker.config.json'), JSON.stringify(config));
    const stryker = join(import.meta.dirname, 'node_modules/@stryker-mutator/core/bin/stryker.js');
    process.env['MUTATED_SUBJECTS'] = selected.map(({ name }) => name).join(',');
    if (!run(process.execPath, [stryker, 'run', join(dir, 'stryker.config.json')], root)) return undefined;
    return JSON.parse(readFileSync(jsonReport, 'utf8')) as MutationReport;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function run(file: string, args: readonly string[], cwd: string): boolean {
  return spawnSync(file, args, { cwd, stdio: 'inherit' }).status === 0;
}
