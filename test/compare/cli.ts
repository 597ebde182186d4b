import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { print, runCommandLine } from '#lib/command-line.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import { stopSignal } from '#lib/shutdown.ts';
import { comparePlan } from '#loadtest/compare/compare-plan.ts';
import { openPlainTarget } from '#loadtest/compare/open-sides.ts';
import { playRounds } from '#loadtest/compare/play-rounds.ts';
import { scheduleOf } from '#loadtest/compare/schedule.ts';
import { readPlayed } from '#loadtest/compare/windows.ts';
import { compare, type Comparison } from '#loadtest/judge/comparison.ts';
import { inAll } from '#loadtest/judge/rounds.ts';
import { startSeededServer } from './seeded-server.ts';
import { calmWorld, simulateRounds, type World } from './simulated-rounds.ts';
import { equalWorlds, slowerWorlds } from './worlds.ts';

const stopping = new AbortController();
void stopSignal().then((name) => stopping.abort(new Error(`ended by ${name}`)));

const asked = { alpha: 0.01, gate: 0.05, effect: 0.1 };
const fine = { problems: [], defects: [] };
const page = resolve(import.meta.dirname, '../../docs/compare-calibration.md');

/** What became of many comparisons of one kind. */
type Row = { readonly says: string; readonly trials: number; readonly verdicts: Record<Comparison['verdict'], number>; p95Worse: number };

const emptyRow = (says: string, trials: number): Row => ({ says, trials, verdicts: { PASS: 0, FAIL: 0, INVALID: 0 }, p95Worse: 0 });

function count(row: Row, { verdict, metrics }: Comparison): void {
  row.verdicts[verdict] += 1;
  if (metrics.some(({ scope, metric, finding }) => scope === inAll && metric === 'p95' && finding === 'worse')) row.p95Worse += 1;
}

function simulate(says: string, world: Partial<World>, trials: number, seed: number): Row {
  const row = emptyRow(says, trials);
  for (let trial = 0; trial < trials && !stopping.signal.aborted; trial += 1) {
    count(row, compare(simulateRounds({ ...calmWorld, rounds: 24, answers: 1_500, ...world }, seed + trial), asked, fine));
  }
  print(show(row));
  return row;
}

const medianMs = 8;

/** Real servers, real generators, real windows of a second: of the machine they run on as much as of the judge. */
async function playReal(says: string, slower: number, { trials, seed }: { readonly trials: number; readonly seed: number }): Promise<Row> {
  const row = emptyRow(says, trials);
  const servers = [
    await startSeededServer({ medianMs, seed }),
    await startSeededServer({ medianMs: medianMs * (1 + slower), seed: seed + 1 }),
  ] as const;
  const dir = await mkdtemp(join(tmpdir(), 'atalaya-compare-'));
  try {
    for (let trial = 0; trial < trials && !stopping.signal.aborted; trial += 1) {
      const turns = scheduleOf(12, seed + trial);
      const changes = { users: 40, thinkMs: [30, 50], durationMs: undefined, seed: seed + trial, mix: [] } as const;
      const openers = { a: () => openPlainTarget(servers[0].origin), b: () => openPlainTarget(servers[1].origin) };
      const plan = comparePlan({ paths: ['/'], windowMs: 1_000 });
      await playRounds({ plan, changes, openers, turns, dir, signal: stopping.signal, onStep: () => {} });
      const { rounds, circumstances } = await readPlayed(dir, turns, []);
      count(row, compare(rounds, asked, circumstances));
    }
  } finally {
    await Promise.all(servers.map(({ close }) => close()));
    await rm(dir, { recursive: true });
  }
  print(show(row));
  return row;
}

const share = (part: number, all: number): string => `${((100 * part) / all).toFixed(1)} %`;

const cells = ({ says, trials, verdicts, p95Worse }: Row): string[] => [
  says,
  String(trials),
  share(verdicts.FAIL, trials),
  share(verdicts.PASS, trials),
  share(verdicts.INVALID, trials),
  share(p95Worse, trials),
];

const show = (row: Row): string => cells(row).join(' · ');

const table = (rows: readonly Row[]): string =>
  [
    '| | comparisons | FAIL | PASS | INVALID | p95 in all called worse |',
    '|---|---:|---:|---:|---:|---:|',
    ...rows.map((row) => `| ${cells(row).join(' | ')} |`),
  ].join('\n');

type Options = { readonly trials: number; readonly real: number; readonly seed: number };

async function campaign({ trials, real, seed }: Options): Promise<ExitCode> {
  const equal = equalWorlds.map(({ says, world }) => simulate(says, world, trials, seed));
  const slower = slowerWorlds.map(({ says, world }) => simulate(says, world, trials, seed));
  const played =
    real === 0 ? [] : [await playReal('equal', 0, { trials: real, seed }), await playReal('+ 50 %', 0.5, { trials: real, seed })];
  stopping.signal.throwIfAborted();
  await writeFile(page, markdown({ equal, slower, played }, { trials, real, seed }));
  await promisify(execFile)(resolve(import.meta.dirname, '../../node_modules/.bin/oxfmt'), [page]);
  return EXIT.done;
}

const markdown = (
  { equal, slower, played }: Record<'equal' | 'slower' | 'played', readonly Row[]>,
  { trials, real, seed }: Options,
): string => `# What \`compare\` is worth

Written by \`npm run compare-calibrate -- --trials ${trials} --real ${real} --seed ${seed}\`. [How it judges](compare.md).

Rounds are simulated, so that it is known which side is slower: 24 rounds, 1,500 answers a window over three endpoints whose
latencies are log-normal, and a machine that adds to every window what each line says. Asked is a difference of 10 %.

## B is as fast as A: every FAIL is a false alarm

${table(equal)}

## B is slower: every FAIL is right

${table(slower)}
${
  played.length === 0
    ? ''
    : `
## Real servers

Two servers with seeded latencies (median ${medianMs} ms), real generators, 12 rounds of one second, on a machine of ${availableParallelism()} cores:
what is INVALID there, the machine made.

${table(played)}
`
}`;

const whole = (value: unknown, otherwise: number): number => (typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : otherwise);

process.exitCode = await runCommandLine(
  {
    invocation: 'npm run compare-calibrate --',
    summary: 'Counts how often compare is wrong, where it is known which side is slower, and writes docs/compare-calibration.md.',
    verbs: {
      run: {
        synopsis: '[--trials 1000] [--real 0] [--seed 1]',
        summary: 'So many simulated comparisons of each kind, and so many with real servers (a minute each).',
        options: { trials: { type: 'string' }, real: { type: 'string' }, seed: { type: 'string' } },
        positionals: [0, 0],
        run: ({ flags: { trials, real, seed } }) => campaign({ trials: whole(trials, 1_000), real: whole(real, 0), seed: whole(seed, 1) }),
      },
    },
    defaultVerb: 'run',
  },
  process.argv.slice(2),
);
