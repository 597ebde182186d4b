import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, matchesGlob, resolve } from 'node:path';
import { print, runCommandLine } from '../../lib/command-line.ts';
import { UsageError } from '../../lib/errors.ts';
import { EXIT, type ExitCode } from '../../lib/exit-codes.ts';
import { scoreOf, showScores, type MutationReport } from './report.ts';
import { subjects, type Subject } from './subjects.ts';

const leastScore = 0.85;
const root = resolve(import.meta.dirname, '../..');
const page = join(root, 'docs/mutation.md');

function mutate(names: readonly string[], only: string | undefined): ExitCode {
  const unknown = names.filter((name) => !subjects.some((subject) => subject.name === name));
  if (unknown.length > 0)
    throw new UsageError(`no subject is called ${unknown.join(', ')}; there are ${subjects.map(({ name }) => name).join(', ')}`);
  if (names.length === 0 && only !== undefined) throw new UsageError('--only needs the subjects whose files it picks from');
  if (!install()) return EXIT.failed;
  const selected = names.length === 0 ? subjects : subjects.filter(({ name }) => names.includes(name));
  const report = runStryker(selected, only);
  if (!report) return EXIT.failed;
  const scores = selected.map((subject) => scoreOf(subject, report, (file) => isOf(subject, file)));
  for (const { subject, killed, mutants, score, survivors } of scores) {
    print(`${subject}: ${killed} of ${mutants} noticed, ${(score * 100).toFixed(1)} %`);
    if (names.length > 0) for (const survivor of survivors) print(`  ${survivor}`);
  }
  if (names.length === 0) writeFileSync(page, showScores(scores, leastScore));
  return scores.every(({ score }) => score >= leastScore) ? EXIT.done : EXIT.failed;
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

function runStryker(selected: readonly Subject[], only = '**'): MutationReport | undefined {
  const dir = mkdtempSync(join(tmpdir(), 'atalaya-mutate-'));
  const jsonReport = join(dir, 'report.json');
  const config = {
    mutate: globSync(only, { cwd: root, exclude: ['**/node_modules'] }).filter((file) => selected.some((subject) => isOf(subject, file))),
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

process.exitCode = await runCommandLine(
  {
    invocation: 'npm run mutate --',
    summary: `Breaks the code and counts what the tests notice (StrykerJS); exit 1 when a subject stays below ${leastScore * 100} %.`,
    verbs: {
      run: {
        synopsis: '[SUBJECT…] [--only GLOB]',
        summary:
          'All subjects, written to docs/mutation.md; or those named, with the changes no test noticed, --only in files such as loadtest/judge/limits.ts.',
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
