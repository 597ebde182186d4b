import { Client } from 'pg';
import { createProgress, print, runCommandLine, type Arguments } from '#lib/command-line.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import { clientOptions } from '#lib/postgres.ts';
import { processTree, readProcesses } from '#lib/proc.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { showCount, showDuration } from '#lib/show.ts';
import { stopSignal } from '#lib/shutdown.ts';
import { wholeNumber } from '#loadtest/options.ts';
import { createRandom } from '#loadtest/generate/random.ts';
import { operatorKey, startApi, type ApiProcess } from '../support/api-process.ts';
import { startOwnPostgres } from '../support/own-postgres.ts';
import { describeCommit } from '../zoo/table.ts';
import { keep, tell, tellAll } from './account.ts';
import { runCampaign, type Tally } from './campaign.ts';
import { addThings } from './things.ts';
import { openWay, type Way } from './way.ts';

/**
 * Each instance reads in its own manner: with so few connections that different questions go over one together, and over the way on which
 * answers are held back with enough, so that what waits for them keeps nothing else from being asked.
 */
const poolSizes = ['4', '10'];

const stopping = new AbortController();
void stopSignal().then((name) => stopping.abort(new Error(`ended by ${name}`)));

process.exitCode = await runCommandLine(
  {
    invocation: 'npm run staleness --',
    summary:
      'Reads and writes every resource through two instances of the API whose workers are killed and frozen: no answer may be stale.',
    defaultVerb: 'run',
    verbs: {
      run: {
        synopsis: '[--reads 100000] [--readers 300] [--workers 2] [--seed 1] [--docs]',
        summary:
          'Until so many answers have been looked at; exits 1 when one of them was older than what had been answered before. --docs keeps it, and writes what all that were kept come to into docs/performance.md.',
        options: {
          reads: { type: 'string' },
          readers: { type: 'string' },
          workers: { type: 'string' },
          seed: { type: 'string' },
          docs: { type: 'boolean' },
        },
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
  const [reads, readers] = [whole('reads', 100_000, 1e9), whole('readers', 300, 1_000)];
  const [workers, seed] = [whole('workers', 2, 16), whole('seed', 1, 2 ** 31)];
  const [startedAtMs, commit] = [performance.now(), await describeCommit()];
  const tally = await withApis(workers, (apis, way) => play(apis, way, { reads, readers, seed }));
  const played = { commit, seed, instances: poolSizes.length, workers, tookMs: performance.now() - startedAtMs, tally };
  print(tellAll([played]));
  if (flags['docs'] === true) await keep(played);
  return tally.stale === 0 ? EXIT.done : EXIT.failed;
}

type Amount = { readonly reads: number; readonly readers: number; readonly seed: number };

async function play(apis: readonly ApiProcess[], way: Way, { reads, readers, seed }: Amount): Promise<Tally> {
  const progress = createProgress();
  const startedAtMs = performance.now();
  try {
    return await runCampaign({
      apis,
      workersOf: async ({ child: { pid: primary = Number.NaN } }) =>
        processTree(await readProcesses(), primary).flatMap(({ pid }) => (pid === primary ? [] : [pid])),
      way,
      headers: { 'x-api-key': operatorKey },
      reads,
      readers,
      writers: 10,
      random: createRandom(seed, 0),
      signal: stopping.signal,
      onProgress: (tally) => progress.update(`${tell(tally)}; ${showPace(tally.reads, reads, performance.now() - startedAtMs)}`),
    });
  } finally {
    progress.done();
  }
}

function showPace(done: number, all: number, tookMs: number): string {
  const left = done === 0 ? '' : `, ${showDuration(((all - done) * tookMs) / done)} left`;
  return `${showCount(Math.round(done / (tookMs / 1_000)))} reads/s${left}`;
}

/** A database and the instances on it, for as long as `work` takes. */
async function withApis<T>(workers: number, work: (apis: readonly ApiProcess[], way: Way) => Promise<T>): Promise<T> {
  const { settings, stop } = await startOwnPostgres('staleness');
  const way = await openWay(settings.POSTGRES_PORT);
  const apis: ApiProcess[] = [];
  try {
    await fill(settings);
    const env = { API_WORKERS: `${workers}`, API_INSTANCES: `${poolSizes.length}`, RATE_LIMIT_ENABLED: 'false', DB_MAX_OVERFLOW: '0' };
    for (const [index, size] of poolSizes.entries()) {
      const port = index === 0 ? settings.POSTGRES_PORT : way.port;
      const api = await startApi({ ...settings, POSTGRES_PORT: port }, { ...env, DB_POOL_SIZE: size });
      apis.push(api);
      // One after the other: all at once is more than a busy machine brings up in the time that one has.
      await api.ready();
    }
    return await work(apis, way);
  } finally {
    await Promise.all(apis.map((api) => api.stop()));
    await way.close();
    await stop();
  }
}

async function fill(settings: PostgresSettings): Promise<void> {
  const client = new Client(clientOptions(settings, 'atalaya-test'));
  await client.connect();
  await addThings(client);
  await client.end();
}
