import { writeFile } from 'node:fs/promises';
import { createProgress, print, runCommandLine, type Arguments } from '#lib/command-line.ts';
import { UsageError } from '#lib/errors.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import { stopSignal } from '#lib/shutdown.ts';
import { wholeNumber } from '#loadtest/options.ts';
import { runBackupBench, showBackupBench, type BackupBenchOptions } from './backup-cost.ts';
import { runBench, type BenchResult } from './run-bench.ts';
import { isWorkload, workloads, type Workload } from './play-workload.ts';
import { runCurve, showCurve } from './curve.ts';
import { runMemory, showMemory } from './memory.ts';
import { contenders, isPeer, type Peer } from './rounds.ts';
import { profileWorkload, showAreas, type WorkloadProfile } from './profile/profile-workload.ts';
import { showBench, showBenchTable } from './show-bench.ts';
import { runGrowth } from './growth.ts';
import { runOverload } from './overload.ts';
import { routesNamed } from './routes/requests.ts';
import { runRoutes, showRoutes } from './routes/run-routes.ts';
import { showGrowth, showOverload, writeTable } from './show-tables.ts';

/** The door of the bench. Long, since each of its eight verbs stands here with its flags and nothing else does. */

const aText = { type: 'string' } as const;
const aFlag = { type: 'boolean' } as const;
/** How long and with how many, and where the result goes: what every verb that plays load may be told. */
const played = { seconds: aText, connections: aText, docs: aFlag, json: aFlag };

const stopping = new AbortController();
void stopSignal().then((name) => stopping.abort(new Error(`ended by ${name}`)));

process.exitCode = await runCommandLine(
  {
    invocation: 'npm run bench --',
    summary: 'Puts the API beside a bare node:http + pg server, and a backup beside a plain pg_dump, each on the same database.',
    defaultVerb: 'run',
    verbs: {
      run: {
        synopsis:
          '[--rounds 5] [--seconds 5] [--connections 400] [--only read,list,pages,filter,order] [--peers fastify,go,axum,pgbench] [--docs] [--json]',
        summary:
          'Starts a stack of its own, reads one product, lists, searches and places orders of 3 lines, and prints ratios with their spread; --peers lets other servers of the same requests play too, built where their toolchain is, and pgbench, which has no server between; --docs writes the table into docs/performance.md.',
        options: { only: aText, rounds: aText, peers: aText, ...played },
        positionals: [0, 0],
        run: bench,
      },
      curve: {
        synopsis: 'connections|workers [--only read] [--rounds 1] [--seconds 5] [--connections 400] [--docs] [--json]',
        summary:
          'Plays one kind of request at 50 to 2,000 connections, or against 1 to 4 workers, a stack of its own for each; --docs writes the table into docs/performance.md.',
        options: { only: aText, rounds: aText, ...played },
        positionals: [1, 1],
        run: benchCurve,
      },
      profile: {
        synopsis: '[--only read,order] [--seconds 10] [--connections 400] [--docs] [--json]',
        summary:
          'Plays each kind of request against a stack of its own whose workers tell where their time went, and prints the shares; --docs writes table and flame graphs into docs/.',
        options: { only: aText, ...played },
        positionals: [0, 0],
        run: benchProfile,
      },
      memory: {
        synopsis: '[--requests 1000000] [--seconds 10] [--connections 400] [--docs] [--json]',
        summary:
          'Starts a stack of its own and looks at its memory at rest and as it answers that many GETs of one product, every so many seconds; --docs writes the table into docs/performance.md.',
        options: { requests: aText, ...played },
        positionals: [0, 0],
        run: benchMemory,
      },
      overload: {
        synopsis: '[--seconds 6] [--beside FOLDER] [--docs] [--json]',
        summary:
          'Asks more of one worker than it can do, by connections that retry at once and in an open loop, and prints what it still does; --beside measures the source in another folder in the same run, --docs writes the table into docs/performance.md.',
        options: { seconds: aText, beside: aText, docs: aFlag, json: aFlag },
        positionals: [0, 0],
        run: benchOverload,
      },
      growth: {
        synopsis: '[--sizes 1000,20000,200000,1000000] [--docs] [--json]',
        summary:
          'Asks the API’s own reads of 1,000, 20,000, 200,000 and 1,000,000 products, orders and reviews, one after the other, and prints the median time of each; --docs writes the table into docs/performance.md.',
        options: { sizes: aText, docs: aFlag, json: aFlag },
        positionals: [0, 0],
        run: benchGrowth,
      },
      routes: {
        synopsis: '[--only orders,"GET /products/:id"] [--rounds 3] [--seconds 1] [--connections 100] [--docs] [--json]',
        summary:
          'Records what the API asks of the database for each read and the main writes, and puts it beside a bare server that asks the same; --only takes resources and routes, --docs writes the table into docs/performance.md.',
        options: { only: aText, rounds: aText, ...played },
        positionals: [0, 0],
        run: benchRoutes,
      },
      backup: {
        synopsis: '[--rounds 5] [--lines 3] [--json]',
        summary:
          'Takes backups and plain dumps in turns, of a database of that many million order lines (a million is some 350 MB), or of the one POSTGRES_HOST names, and prints ratios of time and CPU, and memory.',
        options: { rounds: aText, lines: aText, json: aFlag },
        positionals: [0, 0],
        run: benchBackup,
      },
    },
  },
  process.argv.slice(2),
);

async function bench({ flags }: Arguments): Promise<ExitCode> {
  const sizes = {
    rounds: whole(flags, 'rounds', 5, 100),
    seconds: whole(flags, 'seconds', 5, 600),
    connections: whole(flags, 'connections', 400, 5_000),
  };
  const result = await withProgress((context) =>
    runBench({ ...sizes, workloads: workloadsNamed(flags['only']), peers: peersNamed(flags['peers']), ...context }),
  );
  print(flags['json'] === true ? JSON.stringify(result, null, 2) : showBench(result));
  if (flags['docs'] === true) await writeTable('run', showBenchTable(result));
  return hadErrors(result) ? EXIT.failed : EXIT.done;
}

async function benchCurve({ positionals: [along], flags }: Arguments): Promise<ExitCode> {
  if (along !== 'connections' && along !== 'workers') throw new UsageError(`curve ${String(along)}: there are connections, workers`);
  const [workload = 'read', ...more] = workloadsNamed(flags['only'] ?? 'read');
  if (more.length > 0) throw new UsageError('a curve is of one kind of request');
  const sizes = {
    rounds: whole(flags, 'rounds', 1, 100),
    seconds: whole(flags, 'seconds', 5, 600),
    connections: whole(flags, 'connections', 400, 5_000),
  };
  const curve = await withProgress((context) => runCurve(along, { ...sizes, workloads: [workload], peers: [], ...context }));
  const table = showCurve(along, workload, curve);
  print(flags['json'] === true ? JSON.stringify(curve, null, 2) : table);
  if (flags['docs'] === true) await writeTable(`curve ${along}`, table);
  return curve.some(({ result }) => hadErrors(result)) ? EXIT.failed : EXIT.done;
}

async function benchProfile({ flags }: Arguments): Promise<ExitCode> {
  const sizes = { seconds: whole(flags, 'seconds', 10, 600), connections: whole(flags, 'connections', 400, 5_000) };
  const profiles: WorkloadProfile[] = [];
  for (const workload of workloadsNamed(flags['only'] ?? 'read,order')) {
    profiles.push(await withProgress((context) => profileWorkload(workload, { ...sizes, ...context })));
  }
  print(flags['json'] === true ? JSON.stringify(profiles, null, 2) : showAreas(profiles));
  if (flags['docs'] === true) {
    await writeTable('profile', showAreas(profiles));
    for (const { workload, flame } of profiles) await writeFile(`docs/flame-${workload}.svg`, flame);
  }
  return EXIT.done;
}

async function benchMemory({ flags }: Arguments): Promise<ExitCode> {
  const sizes = { seconds: whole(flags, 'seconds', 10, 600), connections: whole(flags, 'connections', 400, 5_000) };
  const looks = await withProgress((context) => runMemory(whole(flags, 'requests', 1_000_000, 1e9), { ...sizes, ...context }));
  print(flags['json'] === true ? JSON.stringify(looks, null, 2) : showMemory(looks));
  if (flags['docs'] === true) await writeTable('memory', showMemory(looks));
  return EXIT.done;
}

async function benchOverload({ flags }: Arguments): Promise<ExitCode> {
  const beside = flags['beside'] === undefined ? [] : [String(flags['beside'])];
  const rows = await withProgress((context) => runOverload({ seconds: whole(flags, 'seconds', 6, 600), beside, ...context }));
  print(flags['json'] === true ? JSON.stringify(rows, null, 2) : showOverload(rows));
  if (flags['docs'] === true) await writeTable('overload', showOverload(rows));
  return EXIT.done;
}

async function benchGrowth({ flags }: Arguments): Promise<ExitCode> {
  const asked = String(flags['sizes'] ?? '1000,20000,200000,1000000').split(',');
  const sizes = asked.map((size) => wholeNumber('--sizes', size, 1_000, 10_000_000)).toSorted((a, b) => a - b);
  const result = await withProgress((context) => runGrowth({ sizes, ...context }));
  print(flags['json'] === true ? JSON.stringify(result, null, 2) : showGrowth(result));
  if (flags['docs'] === true) await writeTable('growth', showGrowth(result));
  return EXIT.done;
}

async function benchRoutes({ flags }: Arguments): Promise<ExitCode> {
  const sizes = {
    rounds: whole(flags, 'rounds', 3, 100),
    seconds: whole(flags, 'seconds', 1, 600),
    connections: whole(flags, 'connections', 100, 1_000),
  };
  const only = routesNamed(flags['only'] === undefined ? [] : String(flags['only']).split(','));
  const result = await withProgress((context) => runRoutes({ ...sizes, only, firstWarmUpMs: 5_000, ...context }));
  print(flags['json'] === true ? JSON.stringify(result, null, 2) : showRoutes(result));
  if (flags['docs'] === true) await writeTable('routes', showRoutes(result));
  return result.some(({ comparison }) => Object.values(comparison).some(({ errors }) => errors > 0)) ? EXIT.failed : EXIT.done;
}

async function benchBackup({ flags }: Arguments): Promise<ExitCode> {
  const sizes = { rounds: whole(flags, 'rounds', 5, 100), millionLines: whole(flags, 'lines', 3, 1_000) };
  const result = await withProgress((context) => runBackupBench({ ...sizes, ...context }));
  print(flags['json'] === true ? JSON.stringify(result, null, 2) : showBackupBench(result));
  return EXIT.done;
}

function whole(flags: Arguments['flags'], name: string, standard: number, most: number): number {
  return wholeNumber(`--${name}`, String(flags[name] ?? standard), 1, most);
}

type Context = Pick<BackupBenchOptions, 'env' | 'signal' | 'onProgress'>;

async function withProgress<T>(work: (context: Context) => Promise<T>): Promise<T> {
  const progress = createProgress();
  try {
    return await work({ env: process.env, signal: stopping.signal, onProgress: (text) => progress.update(`bench: ${text}…`) });
  } finally {
    progress.done();
  }
}

/** @throws {UsageError} */
function workloadsNamed(only: Arguments['flags'][string]): Workload[] {
  const names = only === undefined ? Object.keys(workloads) : String(only).split(',');
  return names.map((name) => {
    if (isWorkload(name)) return name;
    throw new UsageError(`--only ${name}: there are ${Object.keys(workloads).join(', ')}`);
  });
}

/** @throws {UsageError} */
function peersNamed(given: Arguments['flags'][string]): Peer[] {
  return (given === undefined ? [] : String(given).split(',')).map((name) => {
    if (isPeer(name)) return name;
    throw new UsageError(`--peers ${name}: there are ${contenders.filter(isPeer).join(', ')}`);
  });
}

/** Throughputs of which part are errors are no comparison. */
function hadErrors({ results }: BenchResult): boolean {
  return Object.values(results).some(({ comparison }) => Object.values(comparison).some(({ errors }) => errors > 0));
}
