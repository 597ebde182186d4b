import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { runCommandLine } from '#lib/command-line.ts';
import { UsageError } from '#lib/errors.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import { stopSignal } from '#lib/shutdown.ts';
import { testOwnShop } from '#loadtest/conformance/own-shop.ts';
import type { Conformance } from '#loadtest/conformance/report.ts';
import { countOutcomes } from '#loadtest/judge/outcome.ts';
import { forEachOf } from '#loadtest/targets/http-client.ts';
import { publicLimiters } from './limiters.ts';
import { runLimiter, servers, versionsOf } from './run-limiter.ts';
import { publish, rowOf, type Row } from './table.ts';

const stopping = new AbortController();
void stopSignal().then((name) => stopping.abort(new Error(`ended by ${name}`)));
const { signal } = stopping;

/** What can be run by name: the shop of this project in three ways at once, and each public limiter. */
const own = 'shop';
const ownNames = ['this shop, primary process, by address', 'this shop, primary process, by customer', 'this shop, Redis, by address'];
const sideBySide = 3;
const names = [...ownNames, ...publicLimiters.map(({ name }) => name)];

async function run(asked: readonly string[]): Promise<ExitCode> {
  const known = [own, ...publicLimiters.map(({ name }) => name)];
  const unknown = asked.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new UsageError(`there is no limiter "${unknown}"; there are ${known.join(' · ')}`);
  const isWanted = (name: string): boolean => asked.length === 0 || asked.includes(name);
  if (!install()) return EXIT.failed;
  if (isWanted(own)) {
    const results = await testOwnShop({ env: process.env, signal, onStage: () => {} });
    await keep(results.map((result, i) => [rowOf(ownNames[i] ?? '', 'sliding', result), result] as const));
  }
  let missing: readonly string[] = [];
  // Mostly they wait. Rows are kept one after the other.
  let keeping: Promise<unknown> = Promise.resolve();
  await forEachOf(
    publicLimiters.filter(({ name }) => isWanted(name)),
    sideBySide,
    async (limiter) => {
      const result = await runLimiter(limiter, signal);
      const row = rowOf(limiter.name, `${versionsOf(limiter)}; ${limiter.store}; ${limiter.windows}`, result);
      keeping = keeping.then(async () => (missing = await keep([[row, result]])));
      await keeping;
    },
  );
  if (missing.length > 0) tell(`docs/ratelimit-conformance.md is left as it is; without a result: ${missing.join(', ')}`);
  return EXIT.done;
}

async function keep(results: readonly (readonly [Row, Conformance])[]): Promise<readonly string[]> {
  for (const [row, { judged, verdict }] of results)
    tell(`${verdict.padEnd(7)} ${row.name.padEnd(40)} ${countOutcomes(judged.map(({ finding }) => finding.outcome))}`);
  return publish(
    results.map(([row]) => row),
    names,
  );
}

/** The limiters are no dependencies of the project, so that who only starts or tests it does not carry them. */
function install(): boolean {
  if (existsSync(join(servers, 'node_modules/express-rate-limit'))) return true;
  return spawnSync('npm', ['ci', '--loglevel=error'], { cwd: servers, stdio: 'inherit' }).status === 0;
}

function tell(text: string): void {
  process.stdout.write(`${text}\n`);
}

process.exitCode = await runCommandLine(
  {
    invocation: 'npm run limiters --',
    summary: 'Plays the rate limit suite against public limiters and the shop, and writes docs/ratelimit-conformance.md.',
    verbs: {
      run: {
        synopsis: '[NAME…]',
        summary: `All, or those named: ${[own, ...publicLimiters.map(({ name }) => name)].join(' · ')}.`,
        positionals: [0, names.length],
        run: ({ positionals }) => run(positionals),
      },
    },
    defaultVerb: 'run',
  },
  process.argv.slice(2),
);
