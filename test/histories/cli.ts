import { createProgress, print, runCommandLine, type Arguments } from '#lib/command-line.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import { showCount } from '#lib/show.ts';
import { wholeNumber } from '#loadtest/options.ts';
import { delayTable, playMany, ruleTable } from './campaign.ts';
import { slowest99 } from './judge.ts';
import { catchMutants } from './mutants.ts';
import { playReal, type RealPlayed } from './real.ts';

process.exitCode = await runCommandLine(
  {
    invocation: 'npm run histories --',
    summary: 'Plays random histories of the monitor in virtual time: outages, broken channels, full disks, crashes, silences, reloads.',
    defaultVerb: 'run',
    verbs: {
      run: {
        synopsis: '[--count 10000] [--seed 1] [--first]',
        summary: 'Plays the histories of so many seeds; exits 1 when one of them broke a rule; --first: at the first such.',
        options: { count: { type: 'string' }, seed: { type: 'string' }, first: { type: 'boolean' } },
        positionals: [0, 0],
        run,
      },
      real: {
        synopsis: '[--count 500] [--seed 1] [--beside 4]',
        summary: 'Plays histories on the daemon itself, some beside each other, each some ten seconds long.',
        options: { count: { type: 'string' }, seed: { type: 'string' }, beside: { type: 'string' } },
        positionals: [0, 0],
        run: runReal,
      },
      mutants: {
        synopsis: '[NAME…]',
        summary: 'Breaks the monitor in each of the known ways; exits 1 when the histories do not notice one.',
        options: {},
        positionals: [0, 100],
        run: ({ positionals }) => catchMutants(positionals),
      },
    },
  },
  process.argv.slice(2),
);

function whole(flags: Arguments['flags'], name: string, standard: number): number {
  return wholeNumber(`--${name}`, String(flags[name] ?? standard), 1, 1e9);
}

async function run({ flags }: Arguments): Promise<ExitCode> {
  const seeds = { from: whole(flags, 'seed', 1), count: whole(flags, 'count', 10_000) };
  const progress = createProgress();
  let done = 0;
  const onPlayed = (): void => progress.update(`${showCount((done += 1))} of ${showCount(seeds.count)} histories`);
  const sum = await playMany(seeds, { onPlayed, mostBroken: flags['first'] === true ? 1 : Infinity }).finally(() => progress.done());
  const { histories, decided, arrived, repeated, crashes, broken, delays } = sum;
  print(
    `${showCount(histories)} histories from seed ${seeds.from}: ${showCount(decided)} alerts decided, ${showCount(arrived)} messages arrived,`,
  );
  print(`${showCount(repeated)} of them again, all marked, after ${showCount(crashes)} crashes; ${broken.length} histories broke a rule\n`);
  print(`${delayTable(delays)}\n${ruleTable(sum)}`);
  for (const { seed, rule, what } of broken.slice(0, 20)) print(`seed ${seed}: ${rule}: ${what}`);
  const p99 = slowest99(delays);
  if (p99 > 5_000) print(`p99 of what had waited for a channel that could not be reached is ${p99} ms`);
  return broken.length === 0 && p99 <= 5_000 ? EXIT.done : EXIT.failed;
}

async function runReal({ flags }: Arguments): Promise<ExitCode> {
  const [from, count, beside] = [whole(flags, 'seed', 1), whole(flags, 'count', 500), whole(flags, 'beside', 4)];
  const left = Array.from({ length: count }, (_, index) => from + index);
  const all: RealPlayed[] = [];
  const progress = createProgress();
  const playOn = async (): Promise<void> => {
    for (let seed = left.shift(); seed !== undefined; seed = left.shift()) {
      const played = await playReal(seed);
      all.push(played);
      progress.update(`${all.length} of ${count} histories`);
      for (const violation of played.violations) print(`seed ${played.seed}: ${violation}`);
    }
  };
  await Promise.all(Array.from({ length: beside }, playOn)).finally(() => progress.done());
  const sum = (of: (played: RealPlayed) => number): string => showCount(all.reduce((total, played) => total + of(played), 0));
  const broken = all.filter(({ violations }) => violations.length > 0).length;
  const delays = all.flatMap(({ delaysMs }) => delaysMs).toSorted((a, b) => a - b);
  const p99 = Math.round(delays[Math.max(0, Math.ceil(delays.length * 0.99) - 1)] ?? 0);
  print(
    `${count} histories on the daemon: ${sum(({ arrived }) => arrived)} messages, ${sum(({ repeated }) => repeated)} of them again, ${sum(({ kills }) => kills)} kills;`,
  );
  print(
    `${broken} broke a rule; ${delays.length} times something had waited for Slack: first of it after p99 ${p99} ms, at most ${Math.round(delays.at(-1) ?? 0)} ms`,
  );
  return broken === 0 ? EXIT.done : EXIT.failed;
}
