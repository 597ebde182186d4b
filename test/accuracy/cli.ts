import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { print, runCommandLine } from '#lib/command-line.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import { stopSignal } from '#lib/shutdown.ts';
import { wholeNumber } from '#loadtest/options.ts';
import { playCampaign, type Campaign, type Play } from './campaign.ts';
import { accuracyPage, barsOf } from './page.ts';

const stopping = new AbortController();
void stopSignal().then((name) => stopping.abort(new Error(`ended by ${name}`)));

const root = resolve(import.meta.dirname, '../..');
/** `kept`: the plays of the last run, so that the page can be written again without them. */
const places = { kept: join(root, 'loadtest/reports/accuracy.json'), page: join(root, 'docs/accuracy.md') };

async function run(rounds: number): Promise<ExitCode> {
  const campaign = await playCampaign(rounds, stopping.signal, (play) => print(show(play)));
  if (campaign.missing.length > 0) print(`not installed here: ${campaign.missing.join(', ')}`);
  await mkdir(dirname(places.kept), { recursive: true });
  await writeFile(places.kept, `${JSON.stringify(campaign)}\n`);
  return publish(campaign);
}

/** Writes the page and says what is held. */
async function publish(campaign: Campaign): Promise<ExitCode> {
  await writeFile(places.page, accuracyPage(campaign, `a machine of ${availableParallelism()} cores`));
  await promisify(execFile)(join(root, 'node_modules/.bin/oxfmt'), [places.page]);
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
      page: {
        synopsis: '',
        summary: 'Writes docs/accuracy.md again from what the last run on this machine has played.',
        positionals: [0, 0],
        run: async () => publish(JSON.parse(await readFile(places.kept, 'utf8')) as Campaign),
      },
    },
    defaultVerb: 'run',
  },
  process.argv.slice(2),
);
