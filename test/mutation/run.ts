import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join, matchesGlob, resolve } from 'node:path';
import { print, runCommandLine } from '../../lib/command-line.ts';
import { UsageError } from '../../lib/errors.ts';
import { EXIT, type ExitCode } from '../../lib/exit-codes.ts';
import { scoreOf, showScores, type MutationReport, type Score } from './report.ts';
import { subjects, type Subject } from './subjects.ts';

const leastScore = 0.85;
const root = resolve(import.meta.dirname, '../..');
const page = join(root, 'docs/mutation.md');
/** Scores of earlier runs, so that a subject can be run again by itself. */
const kept = join(root, '.stryker-tmp/scores.json');

function mutate(names: readonly string[], only: string | undefined): ExitCode {
  const unknown = names.filter((name) => !subjects.some((subject) => subject.name === name));
  if (unknown.length > 0)
    throw new UsageError(`no subject is called ${unknown.join(', ')}; there are ${subjects.map(({ name }) => name).join(', ')}`);
  if (names.length === 0 && only !== undefined) throw new UsageError('--only needs the subjects whose files it picks from');
  if (!install()) return EXIT.failed;
  const selected = names.length === 0 ? subjects : subjects.filter(({ name }) => names.includes(name));
  const scores = selected.map((subject) => mutateSubject(subject, only));
  if (only === undefined) publish(scores);
  return scores.every((score) => score !== undefined && score.score >= leastScore) ? EXIT.done : EXIT.failed;
}

/** A run of its own each: a change that all tests may notice, as of a constant, then runs those of its subject alone. */
function mutateSubject(subject: Subject, only: string | undefined): Score | undefined {
  const report = runStryker(subject, only);
  if (!report) return undefined;
  const score = { ...scoreOf(subject, report), commit: commit() };
  print(`${subject.name}: ${score.killed} of ${score.mutants} noticed, ${(score.score * 100).toFixed(1)} %`);
  for (const survivor of score.survivors) print(`  ${survivor}`);
  return score;
}

const commit = (): string => spawnSync('git', ['describe', '--always', '--dirty=+'], { cwd: root, encoding: 'utf8' }).stdout.trim();

/** Writes the page from this run's scores and those kept of earlier ones, once each subject has one. */
function publish(scores: readonly (Score | undefined)[]): void {
  const earlier = existsSync(kept) ? (JSON.parse(readFileSync(kept, 'utf8')) as Score[]) : [];
  const all = subjects.map(({ name }) => [...scores, ...earlier].find((score) => score?.subject === name));
  const known = all.filter((score) => score !== undefined);
  mkdirSync(dirname(kept), { recursive: true });
  writeFileSync(kept, JSON.stringify(known));
  if (known.length < subjects.length)
    return print(`${page} is left as it is: ${subjects.length - known.length} subjects have no score here yet`);
  writeFileSync(page, showScores(known, leastScore));
  run(join(root, 'node_modules/.bin/oxfmt'), [page], root);
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

function runStryker(subject: Subject, only = '**'): MutationReport | undefined {
  const dir = mkdtempSync(join(tmpdir(), 'atalaya-mutate-'));
  const jsonReport = join(dir, 'report.json');
  const config = {
    mutate: globSync(only, { cwd: root, exclude: ['**/node_modules'] }).filter((file) => isOf(subject, file)),
    testRunner: 'vitest',
    plugins: [join(import.meta.dirname, 'node_modules/@stryker-mutator/vitest-runner/dist/src/index.js')],
    vitest: { configFile: 'test/mutation/vitest.config.ts', related: false },
    // TypeScript 7 has no programming interface that Stryker could rewrite its configuration with; nothing here needs it.
    tsconfigFile: 'none.json',
    ignorePatterns: ['.local', 'loadtest/reports', 'test/mutation/node_modules', 'docs/images'],
    reporters: process.stdout.isTTY ? ['progress', 'json'] : ['progress-append-only', 'json'],
    jsonReporter: { fileName: jsonReport },
    tempDirName: join(dir, 'sandbox'),
    concurrency: availableParallelism(),
    timeoutMS: 10_000,
  };
  try {
    writeFileSync(join(dir, 'stryker.config.json'), JSON.stringify(config));
    const stryker = join(import.meta.dirname, 'node_modules/@stryker-mutator/core/bin/stryker.js');
    process.env['MUTATED_SUBJECT'] = subject.name;
    if (!run(process.execPath, [stryker, 'run', join(dir, 'stryker.config.json')], root)) return undefined;
    return JSON.parse(readFileSync(jsonReport, 'utf8')) as MutationReport;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function run(file: string, args: readonly string[], cwd: string): boolean {
  return spawnSync(file, args, { cwd, stdio: 'inherit' }).status === 0;
}

process.exitCode = await runCommandLine(
  {
    invocation: 'npm run mutate --',
    summary: `Breaks the code and counts what the tests notice (StrykerJS); exit 1 when a subject stays below ${leastScore * 100} %.`,
    verbs: {
      run: {
        synopsis: '[SUBJECT…] [--only GLOB]',
        summary:
          'All subjects, or those named; docs/mutation.md is written from the last score of each. --only looks at files such as loadtest/judge/limits.ts.',
        footer: `SUBJECT: ${subjects.map(({ name }) => name).join(', ')}`,
        options: { only: { type: 'string' } },
        positionals: [0, subjects.length],
        run: ({ positionals, flags }) => Promise.resolve(mutate(positionals, flags['only'] as string | undefined)),
      },
    },
    defaultVerb: 'run',
  },
  process.argv.slice(2),
);
