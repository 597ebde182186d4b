import { Client } from 'pg';
import { createProgress, print, runCommandLine, type Arguments } from '#lib/command-line.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import { clientOptions } from '#lib/postgres.ts';
import { processTree, readProcesses } from '#lib/proc.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { showCount } from '#lib/show.ts';
import { stopSignal } from '#lib/shutdown.ts';
import { wholeNumber } from '#loadtest/options.ts';
import { createRandom } from '#loadtest/generate/random.ts';
import { operatorKey, startApi, type ApiProcess } from '../support/api-process.ts';
import { startOwnPostgres } from '../support/own-postgres.ts';
import { runCampaign, type Tally } from './campaign.ts';

const instances = 2;
const productCount = 200;

const stopping = new AbortController();
void stopSignal().then((name) => stopping.abort(new Error(`ended by ${name}`)));

process.exitCode = await runCommandLine(
  {
    invocation: 'npm run staleness --',
    summary: 'Reads and writes products through two instances of the API whose workers are killed and frozen: no answer may be stale.',
    defaultVerb: 'run',
    verbs: {
      run: {
        synopsis: '[--reads 100000] [--workers 2] [--seed 1]',
        summary: 'Until so many answers have been looked at; exits 1 when one of them was older than what had been answered before.',
        options: { reads: { type: 'string' }, workers: { type: 'string' }, seed: { type: 'string' } },
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
  const [reads, workers, seed] = [whole('reads', 100_000, 1e9), whole('workers', 2, 16), whole('seed', 1, 2 ** 31)];
  const startedAt = performance.now();
  const tally = await withApis(workers, (apis) => play(apis, reads, seed));
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  print(`${show(tally)}; ${instances} instances of ${workers} workers, ${seconds} s, seed ${seed}`);
  for (const witness of tally.witnesses) print(`  ${witness}`);
  return tally.stale === 0 ? EXIT.done : EXIT.failed;
}

async function play(apis: readonly ApiProcess[], reads: number, seed: number): Promise<Tally> {
  const progress = createProgress();
  try {
    return await runCampaign({
      apis,
      workersOf: async ({ child: { pid: primary = Number.NaN } }) =>
        processTree(await readProcesses(), primary).flatMap(({ pid }) => (pid === primary ? [] : [pid])),
      headers: { 'x-api-key': operatorKey },
      products: Array.from({ length: productCount }, (_, index) => index + 1),
      reads,
      readers: 60,
      writers: 8,
      random: createRandom(seed, 0),
      signal: stopping.signal,
      onProgress: (tally) => progress.update(show(tally)),
    });
  } finally {
    progress.done();
  }
}

function show({ reads, products, stale, writes, kills, freezes, failed }: Tally): string {
  return (
    `${showCount(stale)} stale of ${showCount(reads)} reads (${showCount(products)} products shown) beside ${showCount(writes)} writes, ` +
    `${kills} kills, ${freezes} freezes, ${showCount(failed)} requests not answered`
  );
}

/** A database and the instances on it, for as long as `work` takes. */
async function withApis<T>(workers: number, work: (apis: readonly ApiProcess[]) => Promise<T>): Promise<T> {
  const { settings, stop } = await startOwnPostgres('staleness');
  const apis: ApiProcess[] = [];
  try {
    await addProducts(settings);
    const env = { API_WORKERS: `${workers}`, API_INSTANCES: `${instances}`, RATE_LIMIT_ENABLED: 'false' };
    for (let left = instances; left > 0; left -= 1) apis.push(await startApi(settings, env));
    await Promise.all(apis.map((api) => api.ready()));
    return await work(apis);
  } finally {
    await Promise.all(apis.map((api) => api.stop()));
    await stop();
  }
}

async function addProducts(settings: PostgresSettings): Promise<void> {
  const client = new Client(clientOptions(settings, 'atalaya-test'));
  await client.connect();
  await client.query(`INSERT INTO products (name, price_cents) SELECT 'thing ' || n, 100 FROM generate_series(1, ${productCount}) n`);
  await client.end();
}
