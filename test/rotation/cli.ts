import { createProgress, print, runCommandLine, type Arguments } from '#lib/command-line.ts';
import { UsageError } from '#lib/errors.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import { showCount } from '#lib/show.ts';
import { createRandom } from '#loadtest/generate/random.ts';
import { wholeNumber } from '#loadtest/options.ts';
import { markdownTable } from '../support/markdown-table.ts';
import { playFullDisk } from './full-disk.ts';
import { playKilled } from './killed.ts';
import type { ArmOptions, Outcome } from './stage.ts';
import { playAtOnce, playCopyTruncate, playOurs } from './ways.ts';

/**
 * What is played, each in a folder of its own. Those that must lose lines show that this campaign would notice; a full disk may leave the
 * beginning of a line, as long as the line stands there whole as well.
 */
const arms: Readonly<
  Record<
    string,
    { readonly says: string; readonly mustLose?: true; readonly mayTear?: true; readonly play: (options: ArmOptions) => Promise<Outcome> }
  >
> = {
  ours: { says: 'the monitor’s rotation', play: playOurs },
  killed: { says: 'the monitor’s, killed by SIGKILL at each step', play: playKilled },
  'full-disk': { says: 'the monitor’s, on a disk that fills up', mayTear: true, play: playFullDisk },
  copytruncate: { says: 'copied and truncated', mustLose: true, play: playCopyTruncate },
  'at-once': { says: 'renamed, compressed at once', mustLose: true, play: playAtOnce },
};

const head = ['rotation', 'rotations', 'lines', 'lines/s', 'lost', 'twice', 'torn', 'archives', 'half', 'named twice', ''];

process.exitCode = await runCommandLine(
  {
    invocation: 'npm run rotation --',
    summary: 'Rotates a log that three processes write to as the API does, and looks for each of their lines.',
    defaultVerb: 'run',
    verbs: {
      run: {
        synopsis: `[--rotations 200] [--rate 30000] [--seed 1] [--only ${Object.keys(arms).join('|')}]`,
        summary: 'Prints a table; exits 1 when a line was lost, torn or doubled, or when a way that must lose lines lost none.',
        options: { rotations: { type: 'string' }, rate: { type: 'string' }, seed: { type: 'string' }, only: { type: 'string' } },
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
  const [rotations, rate, seed] = [whole('rotations', 200, 10_000), whole('rate', 30_000, 300_000), whole('seed', 1, 2 ** 31)];
  const { only } = flags;
  if (only !== undefined && !Object.hasOwn(arms, String(only)))
    throw new UsageError(`--only ${String(only)} must be one of ${Object.keys(arms).join(', ')}`);
  const rows: string[][] = [];
  let isWell = true;
  for (const [name, { says, mustLose, mayTear, play }] of Object.entries(arms)) {
    if (only !== undefined && only !== name) continue;
    const outcome = await watched(says, rotations, (onRotated) =>
      play({ rotations, linesPerSecond: rate, random: createRandom(seed, 0), onRotated }),
    );
    const isAsItMust = mustLose ? outcome.lost > 0 : isWhole({ ...outcome, ...(mayTear && { torn: 0 }) });
    isWell &&= isAsItMust;
    rows.push(rowOf(says, outcome));
    for (const fault of outcome.faults) print(`${says}: ${fault}`);
    if (!isAsItMust) print(`${says}: ${mustLose ? 'lost nothing, so that this proves nothing' : 'is not whole'}`);
  }
  print(markdownTable(head, rows).trimEnd());
  return isWell ? EXIT.done : EXIT.failed;
}

/** Nothing that was not counted as given up is missing, and nothing is there twice. Pure. */
function isWhole({ lost, dropped, twice, torn, halves, doubleNames, faults }: Outcome): boolean {
  return lost === dropped && [twice, torn, halves, doubleNames, faults.length].every((count) => count === 0);
}

async function watched(says: string, rotations: number, play: (onRotated: () => void) => Promise<Outcome>): Promise<Outcome> {
  const progress = createProgress();
  let done = 0;
  return play(() => progress.update(`${says}: ${(done += 1)} of ${rotations} rotations`)).finally(() => progress.done());
}

function rowOf(says: string, outcome: Outcome): string[] {
  const { rotations, lines, seconds, lost, twice, torn, compressed, halves, doubleNames, remark = '' } = outcome;
  const counts = [rotations, lines, lines / seconds, lost, twice, torn, compressed, halves, doubleNames];
  return [says, ...counts.map((count) => showCount(Math.round(count))), remark];
}
