import { createProgress, print, runCommandLine, type Arguments } from '#lib/command-line.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import { showCount } from '#lib/show.ts';
import { wholeNumber } from '#loadtest/options.ts';
import { catchMutants } from './mutants.ts';
import { playCalm, type CalmPlayed } from './play.ts';

/** The nights of Madrid on which clocks are set back and forward, and one of neither. */
const evenings = ['2026-10-24T20:00:00Z', '2026-03-28T20:00:00Z', '2026-11-24T20:00:00Z'].map((text) => Date.parse(text));
/** So long as 400 days are played every look would take hours: the monitor looks, and all it waits for lasts, so many times as long. */
const longPace = 12;

process.exitCode = await runCommandLine(
  {
    invocation: 'npm run calm --',
    summary:
      'Plays healthy days in virtual time, with load tests, deploys, backups, planned work and clocks that are set: nothing may be told.',
    defaultVerb: 'days',
    verbs: {
      days: {
        synopsis: '[--count 30] [--seed 1]',
        summary: 'Days of so many seeds, in turn with clocks set back, forward and not at all; exits 1 when anything was told.',
        options: { count: { type: 'string' }, seed: { type: 'string' } },
        positionals: [0, 0],
        run: runDays,
      },
      long: {
        synopsis: '[--days 400] [--seed 1]',
        summary: 'Many days one after the other, a year of nights with both changes of the clocks among them.',
        options: { days: { type: 'string' }, seed: { type: 'string' } },
        positionals: [0, 0],
        run: runLong,
      },
      mutants: {
        synopsis: '[NAME…]',
        summary: 'Breaks the monitor in each of the known ways; exits 1 when a day stays calm all the same.',
        options: {},
        positionals: [0, 100],
        run: ({ positionals }) => catchMutants(positionals),
      },
    },
  },
  process.argv.slice(2),
);

async function runDays({ flags }: Arguments): Promise<ExitCode> {
  const [count, from] = [wholeNumber('--count', String(flags['count'] ?? 30), 1, 100_000), seedOf(flags)];
  const progress = createProgress();
  const played: CalmPlayed[] = [];
  for (let seed = from; seed < from + count; seed += 1) {
    played.push(await playCalm(seed, { startAt: evenings[seed % evenings.length] ?? 0, days: 1, pace: 1 }));
    progress.update(`${played.length} of ${count} days`);
  }
  progress.done();
  return report(`${count} days from seed ${from}`, played);
}

async function runLong({ flags }: Arguments): Promise<ExitCode> {
  const [days, seed] = [wholeNumber('--days', String(flags['days'] ?? 400), 1, 4_000), seedOf(flags)];
  const progress = createProgress();
  let done = 0;
  const onDay = (): void => progress.update(`${(done += 1)} of ${days} days`);
  const played = await playCalm(seed, { startAt: evenings[1] ?? 0, days, pace: longPace, onDay }).finally(() => progress.done());
  return report(`${days} days of seed ${seed}`, [played]);
}

function seedOf(flags: Arguments['flags']): number {
  return wholeNumber('--seed', String(flags['seed'] ?? 1), 1, 2 ** 31);
}

function report(what: string, played: readonly CalmPlayed[]): ExitCode {
  const sum = (of: (one: CalmPlayed) => number): string => showCount(played.reduce((total, one) => total + of(one), 0));
  const alarms = played.flatMap((one) => one.alarms.map((alarm) => `seed ${one.seed}: ${alarm}`));
  print(`${what}: ${sum(({ looks }) => looks)} looks, ${sum(({ occasions }) => occasions)} occasions, ${alarms.length} false alarms`);
  for (const alarm of alarms.slice(0, 20)) print(alarm);
  return alarms.length === 0 ? EXIT.done : EXIT.failed;
}
