import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { createProgress, print, runCommandLine, type Arguments } from '#lib/command-line.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import { stopSignal } from '#lib/shutdown.ts';
import { compare } from '#loadtest/judge/comparison.ts';
import { wholeNumber } from '#loadtest/options.ts';
import { asked, count, emptyRow, fine, realPart, show, simulatedPart, withPart, type Row } from './page.ts';
import { playOn } from './real-rounds.ts';
import { calmWorld, simulateRounds } from './simulated-rounds.ts';
import { equalWorlds, slowerWorlds, type NamedWorld } from './worlds.ts';

const stopping = new AbortController();
void stopSignal().then((name) => stopping.abort(new Error(`ended by ${name}`)));

const root = resolve(import.meta.dirname, '../..');
/** `kept`: the real comparisons so far, a line each, so that a campaign can be played in parts. */
const places = { kept: join(root, 'loadtest/reports/compare-calibrate.jsonl'), page: join(root, 'docs/compare-calibration.md') };

async function publish(part: string): Promise<void> {
  await writeFile(places.page, withPart(await readFile(places.page, 'utf8'), part));
  await promisify(execFile)(join(root, 'node_modules/.bin/oxfmt'), [places.page]);
}

function simulate({ says, world }: NamedWorld, trials: number, seed: number): Row {
  const row = emptyRow(says);
  for (let trial = 0; trial < trials; trial += 1) {
    stopping.signal.throwIfAborted();
    count(row, compare(simulateRounds({ ...calmWorld, rounds: 24, answers: 1_500, ...world }, seed + trial), asked, fine));
  }
  print(show(row));
  return row;
}

const whole = ({ flags }: Arguments, name: string, usual: number): number =>
  wholeNumber(`--${name}`, typeof flags[name] === 'string' ? flags[name] : String(usual), 1, 1_000_000);

async function simulateAll(args: Arguments): Promise<ExitCode> {
  const [trials, seed] = [whole(args, 'trials', 1_000), whole(args, 'seed', 1)];
  const play = (worlds: readonly NamedWorld[]): Row[] => worlds.map((world) => simulate(world, trials, seed));
  await publish(simulatedPart({ equal: play(equalWorlds), slower: play(slowerWorlds) }, trials, seed));
  return EXIT.done;
}

async function playReal(args: Arguments): Promise<ExitCode> {
  const progress = createProgress();
  const campaign = { forMs: whole(args, 'minutes', 9) * 60_000, signal: stopping.signal, onStep: progress.update };
  const part = realPart(await playOn(places.kept, campaign).finally(progress.done), `a machine of ${availableParallelism()} cores`);
  print(part);
  await publish(part);
  return EXIT.done;
}

process.exitCode = await runCommandLine(
  {
    invocation: 'npm run compare-calibrate --',
    summary: 'Counts how often compare is wrong, where it is known which side is slower, and writes docs/compare-calibration.md.',
    verbs: {
      simulate: {
        synopsis: '[--trials 1000] [--seed 1]',
        summary: 'So many simulated comparisons of each kind.',
        options: { trials: { type: 'string' }, seed: { type: 'string' } },
        positionals: [0, 0],
        run: simulateAll,
      },
      real: {
        synopsis: '[--minutes 9]',
        summary:
          'Comparisons of real servers, equal and 10 % apart in turn, for so long (two minutes each); called again it adds to those it played before.',
        options: { minutes: { type: 'string' } },
        positionals: [0, 0],
        run: playReal,
      },
    },
    defaultVerb: 'simulate',
  },
  process.argv.slice(2),
);
