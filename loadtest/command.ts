import { join } from 'node:path';
import { createProgress, print, type Arguments, type Progress, type Verb } from '#lib/command-line.ts';
import type { Environment } from '#lib/env.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import { compactStamp } from '#lib/show.ts';
import { exitCodeOf } from './judge/verdict.ts';
import { makeOutFolder } from './measurement/run-folder.ts';
import { sayReport, toJson, writeReport, type RunReport } from './report/run-report.ts';

/** What only the door knows, given to every command. */
export type CommandContext = {
  readonly env: Environment;
  /** Fires on Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal;
  readonly randomSeed: number;
  readonly now: Date;
  /** False where a target that runs already is asked for nothing that takes a load test key. */
  readonly isKeyNeeded?: false;
};

/** How a room offers its command to the door. */
export type MakeVerb = (context: CommandContext) => Verb;

/** Something that is played into a folder, and judged from what stands there, then or later, here or elsewhere. */
export type Run = {
  readonly name: string;
  /** @throws what makes an end of the command in one line */
  readonly play: (dir: string, context: CommandContext, progress: Progress) => Promise<void>;
  /** The verdict of what stands in a folder. @throws {UsageError} when that is no such run */
  readonly judge: (dir: string) => Promise<RunReport>;
};

/** Plays a run into its folder, which is made before anything is started, judges it, and says what came of it. */
export async function playRun({ name, play, judge }: Run, { flags: { out, json } }: Arguments, context: CommandContext): Promise<ExitCode> {
  const dir = typeof out === 'string' ? out : defaultFolder(name, context.now);
  makeOutFolder(dir);
  return withProgress(context.signal, async (progress) => {
    await play(dir, context, progress);
    progress.done();
    return tell(await judge(dir), dir, json === true);
  });
}

/** Where the reports of a command go that was not told. */
export const defaultFolder = (name: string, now: Date): string => join(import.meta.dirname, 'reports', `${compactStamp(now)}-${name}`);

/** Writes the reports of a run, says what came of it, and ends as it did. */
export async function tell(run: RunReport, dir: string, isJson: boolean): Promise<ExitCode> {
  const page = await writeReport(run, dir);
  print(isJson ? toJson(run.json).trimEnd() : sayReport(run, page));
  return exitCodeOf[run.verdict];
}

/**
 * Works beside a line that tells how far it is. Canceled, it says so and how far it had come, and ends 1.
 * @throws whatever the work throws
 */
export async function withProgress(signal: AbortSignal, work: (progress: Progress) => Promise<ExitCode>): Promise<ExitCode> {
  const progress = createProgress();
  let at = '';
  const update = (text: string): void => {
    // What is told while it ends says nothing of how far it came.
    if (!signal.aborted) at = ` at ${text.split('\n', 1)[0]?.replace(/…$/, '')}`;
    progress.update(text);
  };
  try {
    return await work({ ...progress, update });
  } catch (err) {
    if (!signal.aborted) throw err;
    progress.done();
    process.stderr.write(`canceled${at}; nothing was judged\n`);
    return EXIT.failed;
  } finally {
    progress.done();
  }
}
