import { createProgress, print, runCommandLine, type Arguments } from '#lib/command-line.ts';
import { UsageError } from '#lib/errors.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import { createRandom } from '#loadtest/generate/random.ts';
import { wholeNumber } from '#loadtest/options.ts';
import { markdownTable } from '../support/markdown-table.ts';
import { watchOne, type How, type Watched } from './campaign.ts';

const ways: Readonly<Record<string, { readonly how: How; readonly says: string }>> = {
  kill: { how: 'SIGKILL', says: 'killed: the port refuses' },
  stop: { how: 'SIGSTOP', says: 'stopped: it takes connections and says nothing' },
};

process.exitCode = await runCommandLine(
  {
    invocation: 'npm run kills --',
    summary: 'Kills programs that are watched at random moments, and holds the time until each is told against the bound that is stated.',
    defaultVerb: 'run',
    verbs: {
      run: {
        synopsis: '[--kills 200] [--beside 12] [--how kill|stop] [--seed 1]',
        summary: 'On so many daemons side by side, with the cadence they have by themselves; exits 1 when one was told late or never.',
        options: { kills: { type: 'string' }, beside: { type: 'string' }, how: { type: 'string' }, seed: { type: 'string' } },
        positionals: [0, 0],
        run,
      },
    },
  },
  process.argv.slice(2),
);

async function run({ flags }: Arguments): Promise<ExitCode> {
  const whole = (name: string, standard: number, most: number): number =>
    wholeNumber(`--${name}`, String(flags[name] ?? standard), 1, most);
  const [kills, seed] = [whole('kills', 200, 100_000), whole('seed', 1, 2 ** 31)];
  const beside = Math.min(kills, whole('beside', 12, 100));
  const way = ways[String(flags['how'] ?? 'kill')];
  if (!way) throw new UsageError(`--how ${String(flags['how'])} must be one of ${Object.keys(ways).join(', ')}`);
  const progress = createProgress();
  let done = 0;
  const watchers: Promise<Watched>[] = [];
  for (let index = 0; index < beside; index += 1) {
    const outages = Math.floor(kills / beside) + (index < kills % beside ? 1 : 0);
    watchers.push(
      watchOne({
        how: way.how,
        outages,
        random: createRandom(seed, index),
        longestPauseMs: 6_000,
        onOutage: () => progress.update(`${(done += 1)} of ${kills} outages told`),
      }),
    );
  }
  const watched = await Promise.all(watchers).finally(() => progress.done());
  return report(way.says, watched);
}

function report(says: string, watched: readonly Watched[]): ExitCode {
  const boundMs = Math.max(...watched.map((each) => each.boundMs));
  const outages = watched.flatMap((each) => each.outages);
  const told = outages.flatMap(({ toldMs }) => toldMs ?? []).toSorted((a, b) => a - b);
  const late = outages.filter(({ toldMs = Infinity }) => toldMs > boundMs).length;
  const unended = outages.filter(({ resolvedMs }) => resolvedMs === undefined).length;
  const at = (share: number): string => `${((told[Math.max(0, Math.ceil(told.length * share) - 1)] ?? 0) / 1_000).toFixed(1)} s`;
  const surplus = watched.flatMap((each) => each.surplus);
  print(
    markdownTable(
      ['the program was', 'outages', 'told', 'bound', 'p50', 'p99', 'longest', 'late', 'never ended', 'other messages'],
      [
        [
          says,
          `${outages.length}`,
          `${told.length}`,
          `${boundMs / 1_000} s`,
          at(0.5),
          at(0.99),
          at(1),
          `${late}`,
          `${unended}`,
          `${surplus.length}`,
        ],
      ],
    ).trimEnd(),
  );
  for (const text of surplus.slice(0, 10)) print(text.split('\n')[0] ?? '');
  return late + unended + surplus.length === 0 ? EXIT.done : EXIT.failed;
}
