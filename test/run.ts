import { parseCLI, startVitest } from 'vitest/node';
import { createTotals } from './support/totals.ts';

const projects = ['unit', 'integration', 'system'];

const help = `Runs the tests: all of them, or those the arguments select.

Usage: npm test [-- PROJECT… FILE… OPTIONS]

  PROJECT  ${projects.join(', ')}
  FILE     part of a test file's path, such as test/unit/lib/env
  OPTIONS  those of "vitest run", such as -t "part of a test's name"

Ends with the line "N passed, N failed, N skipped".`;

/** Runs vitest and prints the totals; sets the exit code to 0 only when nothing failed. */
async function runTests(argv: readonly string[]): Promise<void> {
  const { filter, options } = parseCLI(['vitest', 'run', ...argv.filter((argument) => !projects.includes(argument))]);
  const selected = projects.filter((project) => argv.includes(project));
  const totals = createTotals();
  try {
    const vitest = await startVitest(filter, {
      ...options,
      ...(selected.length > 0 ? { project: selected } : {}),
      watch: false,
      reporters: ['default', totals.reporter],
    });
    await vitest.close();
  } catch (err) {
    process.stderr.write(`error: ${err instanceof Error ? err.message : String(err)}\n`);
    process.exitCode = 1;
  }
  process.stdout.write(`${totals.summary().join('\n')}\n`);
  // vitest sets it for tests that failed; a file that could not be read or a run that was cut short counts as well.
  if (!totals.isSuccess()) process.exitCode = 1;
}

const argv = process.argv.slice(2);
if (argv.includes('--help') || argv.includes('-h')) process.stdout.write(`${help}\n`);
else await runTests(argv);
