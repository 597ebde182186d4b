import { createProgress, print, runCommandLine, type Arguments } from '#lib/command-line.ts';
import { UsageError } from '#lib/errors.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import { stopSignal } from '#lib/shutdown.ts';
import { wholeNumber } from '#loadtest/options.ts';
import { describeCommit } from '../zoo/table.ts';
import { mutants } from './mutants.ts';
import { playMutant, playOnOwnStack } from './play.ts';
import type { RoundResult } from './round.ts';
import { leastSoakSeconds, soak, tellSize, verdictOn } from './soak.ts';
import { keep, readKept, tellTotals } from './table.ts';

const stopping = new AbortController();
void stopSignal().then((name) => stopping.abort(new Error(`ended by ${name}`)));

/** Of one round, before everything is brought back and judged: its history is held in memory until then. */
const roundSeconds = 300;

/** Rounds of seeds N, N + 1, …; one that stands in the results already is not played again. */
async function run({ flags }: Arguments): Promise<ExitCode> {
  const given = (name: string, standard: number, most: number): number =>
    wholeNumber(`--${name}`, String(flags[name] ?? standard), 1, most);
  const [first, minutes, perMinute] = [given('seed', 1, 2 ** 31), given('minutes', 2, 10_000), given('faults', 180, 6_000)];
  const [signal, progress, commit] = [stopping.signal, createProgress(), await describeCommit()];
  const endsAtMs = performance.now() + minutes * 60_000;
  const played: RoundResult[] = [];
  for (let seed = first; performance.now() < endsAtMs && !signal.aborted; seed += 1) {
    if ((await readKept()).rounds[seed]?.violations.length === 0) continue;
    const durationMs = Math.min(roundSeconds * 1_000, Math.max(10_000, endsAtMs - performance.now()));
    const onProgress = (text: string): void => progress.update(`seed ${seed}: ${text}`);
    const result = await playOnOwnStack({ seed, durationMs, perMinute, signal, onProgress });
    progress.done();
    played.push(result);
    if (flags['json'] !== true) tell(result);
    // What was cut short by Ctrl-C is told, and not added to the table.
    if (!signal.aborted) await keep((kept) => ({ ...kept, rounds: { ...kept.rounds, [seed]: { ...shortened(result), commit } } }));
  }
  if (flags['json'] === true) print(JSON.stringify(played.map(shortened)));
  else if (played.length > 0) print(`${signal.aborted ? 'stopped; so far ' : ''}${tellTotals(played)}`);
  return played.some(({ violations }) => violations.length > 0) ? EXIT.failed : EXIT.done;
}

const shownOfRound = 20;

const shortened = (result: RoundResult): RoundResult => ({ ...result, violations: result.violations.slice(0, shownOfRound) });

function tell(result: RoundResult): void {
  print(`seed ${result.seed}: ${tellTotals([result])}`);
  for (const { rule, detail } of result.violations.slice(0, shownOfRound)) print(`  ${rule}: ${detail}`);
}

async function runMutants({ positionals, flags }: Arguments): Promise<ExitCode> {
  for (const name of positionals) {
    if (!mutants.some((mutant) => mutant.name === name))
      throw new UsageError(`there is no mutant "${name}"; there are ${mutants.map((one) => one.name).join(', ')}`);
  }
  const seed = wholeNumber('--seed', String(flags['seed'] ?? 1), 1, 2 ** 31);
  const meant = mutants.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const [signal, progress, commit] = [stopping.signal, createProgress(), await describeCommit()];
  let missed = 0;
  for (const mutant of meant) {
    if (signal.aborted) break;
    const caught = await playMutant(mutant, { seed, signal, onProgress: (text) => progress.update(`${mutant.name}: ${text}`) });
    progress.done();
    if (!caught.isNamed) missed += 1;
    print(
      `${caught.isNamed ? 'ok  ' : 'MISS'} ${caught.name.padEnd(24)} ${caught.rules.join(', ')} (${caught.seconds} s): ${caught.witness}`,
    );
    await keep((kept) => ({ ...kept, mutants: { ...kept.mutants, [mutant.name]: { ...caught, commit } } }));
  }
  return missed === 0 ? EXIT.done : EXIT.failed;
}

/** Whether the processes of the API keep their size at a steady rate, with nobody tormenting them. */
async function runSoak({ flags }: Arguments): Promise<ExitCode> {
  const given = (name: string, standard: number, least: number, most: number): number =>
    wholeNumber(`--${name}`, String(flags[name] ?? standard), least, most);
  const seconds = given('seconds', 600, leastSoakSeconds, 1_000_000);
  const [perSecond, seed] = [given('rate', 200, 1, 10_000), given('seed', 1, 1, 2 ** 31)];
  const [signal, progress, commit] = [stopping.signal, createProgress(), await describeCommit()];
  const result = await soak({ seed, durationMs: seconds * 1_000, perSecond, signal, onProgress: (text) => progress.update(text) });
  progress.done();
  const isFlat = result.sizes.length > 0 && result.sizes.every((size) => verdictOn(size) === 'flat');
  if (flags['json'] === true) print(JSON.stringify(result));
  else {
    tell(result.round);
    for (const size of result.sizes) print(`${verdictOn(size).padEnd(5)} ${tellSize(size)}`);
  }
  if (!signal.aborted) await keep((kept) => ({ ...kept, soak: { ...result, round: shortened(result.round), commit } }));
  return isFlat && result.round.violations.length === 0 ? EXIT.done : EXIT.failed;
}

process.exitCode = await runCommandLine(
  {
    invocation: 'npm run torture --',
    summary:
      'The real stack under clients whose every request is written down, while a seeded nemesis kills, freezes and cuts; then a judge.',
    defaultVerb: 'run',
    verbs: {
      run: {
        synopsis: '[--seed 1] [--minutes 2] [--faults 180] [--json]',
        summary: `Rounds of ${roundSeconds} s with the seeds from --seed on, --faults of them a minute; writes docs/torture.md. Exits 1 when anything was lost, done twice or shown to the wrong one.`,
        footer:
          'A seed that was played without a violation is kept in loadtest/reports/torture.json and left out. Ctrl-C judges what was played.',
        options: { seed: { type: 'string' }, minutes: { type: 'string' }, faults: { type: 'string' }, json: { type: 'boolean' } },
        positionals: [0, 0],
        run,
      },
      soak: {
        synopsis: '[--seconds 600] [--rate 200] [--seed 1] [--json]',
        summary:
          'The same clients with no faults, a fifth of the time as fast as they like and then at a steady rate of requests a second: exits 1 when the heap after collection or the resident memory of a process grows (Theil–Sen through the medians of half minutes, 99.9 %).',
        options: { seconds: { type: 'string' }, rate: { type: 'string' }, seed: { type: 'string' }, json: { type: 'boolean' } },
        positionals: [0, 0],
        run: runSoak,
      },
      mutants: {
        synopsis: '[NAME…] [--seed 1]',
        summary: 'Servers with one thing wrong in them, each of which must be caught and named.',
        options: { seed: { type: 'string' } },
        positionals: [0, mutants.length],
        run: runMutants,
      },
    },
  },
  process.argv.slice(2),
);
