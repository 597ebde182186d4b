import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { print, runCommandLine } from '#lib/command-line.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import { stopSignal } from '#lib/shutdown.ts';
import { wholeNumber } from '#loadtest/options.ts';
import { playCampaign, type Play } from './campaign.ts';
import { accuracyPage, barsOf } from './page.ts';

const stopping = new AbortController();
void stopSignal().then((name) => stopping.abort(new Error(`ended by ${name}`)));

const page = resolve(import.meta.dirname, '../../docs/accuracy.md');

async function run(rounds: number): Promise<ExitCode> {
  const campaign = await playCampaign(rounds, stopping.signal, (play) => print(show(play)));
  const machine = `a machine of ${availableParallelism()} cores`;
  await writeFile(page, accuracyPage(campaign, `npm run accuracy -- --rounds ${rounds}`, machine));
  await promisify(execFile)(resolve(import.meta.dirname, '../../node_modules/.bin/oxfmt'), [page]);
  const bars = barsOf(campaign);
  for (const { says, isHeld } of bars) print(`${isHeld ? 'held  ' : 'MISSED'} ${says}`);
  return bars.every(({ isHeld }) => isHeld) ? EXIT.done : EXIT.failed;
}

function show({ matter, client, round, said, truth, others }: Play): string {
  const figures = (['p50Ms', 'p95Ms', 'p99Ms', 'maxMs'] as const).map((at) => `${said[at]?.toFixed(2) ?? '–'}/${truth[at]?.toFixed(2)}`);
  const cpu = others === null ? '' : ` others ${Math.round(100 * others)} %`;
  return `${round + 1} ${matter.padEnd(8)} ${client.padEnd(30)} ${Math.round(said.perSecond)}/s ${figures.join(' ')}${cpu}`;
}

process.exitCode = await runCommandLine(
  {
    invocation: 'npm run accuracy --',
    summary: 'Plays our generators, autocannon, wrk and oha against a server whose latencies are known, and writes docs/accuracy.md.',
    verbs: {
      run: {
        synopsis: '[--rounds 3]',
        summary: 'So many rounds of some two minutes. Clients that are not installed are named on the page.',
        options: { rounds: { type: 'string' } },
        positionals: [0, 0],
        run: ({ flags: { rounds } }) => run(typeof rounds === 'string' ? wholeNumber('--rounds', rounds, 1, 50) : 3),
      },
    },
    defaultVerb: 'run',
  },
  process.argv.slice(2),
);
