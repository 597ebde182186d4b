import { createProgress, print, runCommandLine, type Arguments } from '#lib/command-line.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import { showCount } from '#lib/show.ts';
import { wholeNumber } from '#loadtest/options.ts';
import { startOwnPostgres } from '../support/own-postgres.ts';
import { openFuzzedShop, runCampaign, type FuzzedShop, type Tally } from './campaign.ts';

process.exitCode = await runCommandLine(
  {
    invocation: 'npm run fuzz --',
    summary: 'Asks the API what its document allows, nearly allows and never heard of, and holds every answer against the document.',
    defaultVerb: 'run',
    verbs: {
      run: {
        synopsis: '[--seed 1] [--requests 10000] [--from 0] [--connections 8]',
        summary: 'That many requests; exits 1 when an answer is not as documented. --from N begins with another one of the same seed.',
        options: { seed: { type: 'string' }, requests: { type: 'string' }, from: { type: 'string' }, connections: { type: 'string' } },
        positionals: [0, 0],
        run,
      },
    },
  },
  process.argv.slice(2),
);

async function run({ flags }: Arguments): Promise<ExitCode> {
  const whole = (name: string, standard: number, least: number): number =>
    wholeNumber(`--${name}`, String(flags[name] ?? standard), least, 1e9);
  const [seed, requests, from, connections] = [
    whole('seed', 1, 0),
    whole('requests', 10_000, 1),
    whole('from', 0, 0),
    whole('connections', 8, 1),
  ];
  const startedAt = performance.now();
  const tally = await withShop((shop) => play(shop, { seed, requests, from, connections }));
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  print(`${show(tally)}; seed ${seed}, ${seconds} s`);
  print(
    `  by status: ${[...tally.statuses]
      .toSorted(([a], [b]) => a - b)
      .map(([status, count]) => `${status} ${showCount(count)}`)
      .join(', ')}`,
  );
  for (const { index, faults, command } of tally.findings.slice(0, 50))
    print(`  #${index} ${faults.join('; ')}\n    ${command.slice(0, 2_000)}`);
  const refused = [...tally.refused].toSorted(([, a], [, b]) => b - a).slice(0, 30);
  if (refused.length > 0) print('Refused, though the document allows it:');
  for (const [where, count] of refused) print(`  ${showCount(count)} × ${where}`);
  return tally.findings.length === 0 ? EXIT.done : EXIT.failed;
}

async function play(shop: FuzzedShop, options: { seed: number; requests: number; from: number; connections: number }): Promise<Tally> {
  const progress = createProgress();
  try {
    return await runCampaign(shop, { ...options, onProgress: (tally) => progress.update(show(tally)) });
  } finally {
    progress.done();
  }
}

function show({ requests, findings, pairs }: Tally): string {
  return `${showCount(requests)} requests, ${showCount(findings.length)} findings, ${showCount(pairs.size)} pairs of operation and status met`;
}

/** A database and a shop on it, for as long as `work` takes. */
async function withShop<T>(work: (shop: FuzzedShop) => Promise<T>): Promise<T> {
  const { settings, stop } = await startOwnPostgres('fuzz');
  try {
    const shop = await openFuzzedShop(settings);
    try {
      return await work(shop);
    } finally {
      await shop.close();
    }
  } finally {
    await stop();
  }
}
