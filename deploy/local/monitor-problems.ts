import { CommandError, runCommand } from '#lib/run-command.ts';
import { ConfigError } from '#lib/errors.ts';
import { runAs } from './server-account.ts';
import { entryFile, type StackPlan } from './stack-parts.ts';
import { startFailure } from './start-failure.ts';

const timeoutMs = 20_000;

/** What the monitor finds wrong with its settings, without starting it: so that one failed start tells all there is to mend. */
export async function monitorProblems({ programEnv }: StackPlan, signal: AbortSignal): Promise<readonly string[]> {
  const command = runAs(undefined, { file: process.execPath, args: [entryFile('monitor/cli.ts'), 'check-config'] });
  try {
    await runCommand({ ...command, env: programEnv }, { timeoutMs, signal });
    return [];
  } catch (err) {
    if (!(err instanceof CommandError)) return [];
    const failure = startFailure({ name: 'monitor', status: err.status, how: '', output: err.stderrTail });
    return failure instanceof ConfigError ? failure.problems : [];
  }
}
