import { UsageError } from '#lib/errors.ts';
import { createProgress, runCommandLine, type Arguments } from '#lib/command-line.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import { stopSignal } from '#lib/shutdown.ts';
import { wholeNumber } from '#loadtest/options.ts';
import type { Member } from './defect.ts';
import { defects } from './defects.ts';
import { runClean, runDefect, type MemberOptions, type Result } from './run-member.ts';
import { suites, type SuiteName } from './suites.ts';
import { describeCommit, publish } from './table.ts';

const stopping = new AbortController();
void stopSignal().then((name) => stopping.abort(new Error(`ended by ${name}`)));

const suiteNames = Object.keys(suites) as SuiteName[];

type Flags = Arguments['flags'];

async function runZoo(names: readonly string[], flags: Flags): Promise<ExitCode> {
  const plan = planOf(names, flags);
  const progress = createProgress();
  const commit = await describeCommit();
  const results: Result[] = [];
  let missing: readonly string[] = [];
  for (const { name, run } of plan) {
    const nth = `${String(results.length + 1).padStart(3)}/${plan.length}  ${name}`;
    const onStage = (stage: string): void => progress.update(`${nth}: ${stage}`);
    onStage('starting…');
    const result = await run({ env: process.env, signal: stopping.signal, durationMs: 15_000, commit, onStage });
    results.push(result);
    progress.done();
    tell(`${String(results.length).padStart(3)}/${plan.length}  ${line(result)}`);
    missing = await publish([result]);
  }
  if (missing.length > 0)
    tell(`docs/zoo.md is left as it is: ${missing.length} of ${defects.length} members have no result here yet, such as ${missing[0]}`);
  const missed = results.filter(({ isRight }) => !isRight);
  tell(
    `${results.length - missed.length} of ${results.length} right${missed.length > 0 ? `; not ${missed.map(({ name }) => name).join(', ')}` : ''}`,
  );
  return missed.length === 0 ? EXIT.done : EXIT.failed;
}

type Planned = { readonly name: string; readonly run: (options: MemberOptions) => Promise<Result> };

/** What is to be played. @throws {UsageError} */
function planOf(names: readonly string[], flags: Flags): Planned[] {
  for (const name of names) {
    if (!defects.some((defect) => defect.name === name))
      throw new UsageError(`there is no defect "${name}"; there are ${defects.map((one) => one.name).join(', ')}`);
  }
  const suite = flags['suite'] as SuiteName | undefined;
  if (suite !== undefined && !suiteNames.includes(suite))
    throw new UsageError(`there is no suite "${suite}"; there are ${suiteNames.join(', ')}`);
  const count = (name: 'clean' | 'from', usual: string): number =>
    wholeNumber(`--${name}`, typeof flags[name] === 'string' ? flags[name] : usual, Number(usual), 1_000);
  const [clean, from] = [count('clean', '0'), count('from', '1')];
  const isBusy = flags['busy'] === true;
  const isMeant = ({ name, foundBy }: Member): boolean =>
    names.length > 0 ? names.includes(name) : clean === 0 && (suite ?? foundBy) === foundBy;
  return [
    ...defects.filter(isMeant).map((defect) => ({ name: defect.name, run: (options: MemberOptions) => runDefect(defect, options) })),
    ...Array.from({ length: clean }, (_, i) => ({
      name: `clean ${from + i}`,
      run: (options: MemberOptions) => runClean({ suite: suite ?? 'users', number: from + i, isBusy }, options),
    })),
  ];
}

const line = ({ name, verdict, namedAs, witness, isRight, seconds }: Result): string =>
  `${isRight ? 'ok  ' : 'MISS'} ${name.padEnd(30)} ${verdict.padEnd(8)} ${namedAs.join(', ').padEnd(28)} ${seconds} s  ${witness.slice(0, 160)}`;

function tell(text: string): void {
  process.stdout.write(`${text}\n`);
}

process.exitCode = await runCommandLine(
  {
    invocation: 'npm run zoo --',
    summary: 'Plays the suites of the load test against copies of the shop with one seeded defect each: every one must be found and named.',
    verbs: {
      run: {
        synopsis: '[NAME…] [--suite users|pool|ratelimit] [--clean N [--from M] [--busy]]',
        summary:
          'All defects, those of one suite, or those named; with --clean N: the shop as it is, N times (by users, or --suite), numbered from M, with --busy beside a busy core.',
        options: { suite: { type: 'string' }, clean: { type: 'string' }, from: { type: 'string' }, busy: { type: 'boolean' } },
        positionals: [0, defects.length],
        run: ({ positionals, flags }) => runZoo(positionals, flags),
      },
    },
    defaultVerb: 'run',
  },
  process.argv.slice(2),
);
