import { messageOf } from '#lib/errors.ts';
import { CommandError, runCommand } from '#lib/run-command.ts';
import { isEmbedded } from './local-env.ts';
import { runAs } from './server-account.ts';
import { entryFile, type StackPlan } from './stack-parts.ts';
import { startFailure } from './start-failure.ts';

const timeoutMs = 5 * 60_000;

/**
 * Brings the schema up to date and, where it is wanted, fills an empty database with demo data.
 * @throws {AppError} saying in one line why it failed, or that the signal fired
 */
export async function migrateDatabase(plan: StackPlan, signal: AbortSignal): Promise<void> {
  const { settings, programEnv } = plan;
  const isSeeded = settings.SEED_DEMO ?? isEmbedded(settings);
  const args = [entryFile('api/db/cli.ts'), 'up', ...(isSeeded ? ['--seed-demo'] : [])];
  const command = runAs(undefined, { file: process.execPath, args });
  try {
    await runCommand({ ...command, env: programEnv }, { timeoutMs, signal });
  } catch (err) {
    if (!(err instanceof CommandError)) throw err;
    const how = err.status === null ? messageOf(err) : `ended with status ${err.status}`;
    throw startFailure({ name: 'migration', status: err.status, how, output: err.stderrTail });
  }
}
