import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { print, type Arguments, type Progress } from '#lib/command-line.ts';
import type { ExitCode } from '#lib/exit-codes.ts';
import { compactStamp } from '#lib/show.ts';
import { exitCodeOf } from '../judge/verdict.ts';
import { makeOutFolder } from '../measurement/measurement-file.ts';
import { wholeNumber } from '../options.ts';
import { onTarget, type CommandContext, type MakeVerb } from '../target-command.ts';
import type { Target } from '../targets/target.ts';
import { concludeOn, poolJson, poolJunit, poolMarkdown, poolText, type Conclusion } from './conclusion.ts';
import { mostOf, type Settings } from './recording.ts';
import { openShopPort } from './shop-port.ts';
import { playSuite } from './suite.ts';

const known = { out: { type: 'string' }, json: { type: 'boolean' }, requests: { type: 'string' } } as const;

const footer = `Always on a throw-away stack whose pools are small, so that each property is really put to the test: connections are held by
a lock, abandoned by their clients, and ended by the database. The run takes about a minute and a half.

Options:
  --requests 1000     how often each kind of request is made when leaks are looked for
  --out DIR           where recording and reports go; default loadtest/reports/<time>-pool
  --json              print the result as JSON

Exit codes: 0 PASS · 99 FAIL · 75 INVALID, the run proves nothing · 64, 78 usage, settings`;

/** Small enough that a few clients fill them, and short enough that all of it is seen. */
export const testedSettings: Settings = { workers: 2, size: 2, overflow: 2, timeoutMs: 2_000, recycleMs: 20_000, idleMs: 10_000 };

/** The pool of an API process as its environment says it. */
export const environmentOf = ({ workers, size, overflow, timeoutMs, recycleMs }: Settings): Record<string, string> => ({
  API_WORKERS: String(workers),
  DB_POOL_SIZE: String(size),
  DB_MAX_OVERFLOW: String(overflow),
  DB_POOL_TIMEOUT: String(timeoutMs / 1_000),
  DB_POOL_RECYCLE: String(recycleMs / 1_000),
});

/** `npm run loadtest -- pool`. */
export const poolVerb: MakeVerb = (context) => ({
  synopsis: '[options]',
  summary: 'Puts the properties P1–P13 of a connection pool to the test: cap, timeouts, overload, leaks, lost sessions, fairness.',
  options: known,
  footer,
  positionals: [0, 0],
  run: (args) => run(args, context),
});

async function run({ flags }: Arguments, context: CommandContext): Promise<ExitCode> {
  const leakRequests = wholeNumber('--requests', typeof flags['requests'] === 'string' ? flags['requests'] : '1000', 8, 1_000_000);
  const out = typeof flags['out'] === 'string' ? flags['out'] : undefined;
  const folder = out ?? join(import.meta.dirname, '../reports', `${compactStamp(context.now)}-pool`);
  makeOutFolder(folder);
  const env = { ...context.env, ...environmentOf(testedSettings) };
  return onTarget(undefined, { ...context, env }, async (target, progress) => {
    const conclusion = await testPool(target, { settings: testedSettings, leakRequests, signal: context.signal }, progress);
    progress.done();
    writeReports(folder, conclusion, context.now);
    const { verdict } = conclusion;
    print(
      flags['json'] === true
        ? poolJson(conclusion).trimEnd()
        : `${poolText(conclusion)}\nreport: ${join(folder, 'summary.md')}\n${verdict}`,
    );
    return exitCodeOf[verdict];
  });
}

export type TestOptions = { readonly settings: Settings; readonly leakRequests: number; readonly signal: AbortSignal };

/** Plays everything against the shop of an own stack, whose pools are set like that, and judges it. */
export async function testPool(target: Target, { settings, leakRequests, signal }: TestOptions, progress: Progress): Promise<Conclusion> {
  progress.update('pool: preparing the shop…');
  const { port, close } = await openShopPort(target, 4 * mostOf(settings), signal);
  try {
    return concludeOn(await playSuite({ settings, port, leakRequests, onStage: (name) => progress.update(`pool: ${name}…`) }));
  } finally {
    await close();
  }
}

function writeReports(folder: string, conclusion: Conclusion, startedAt: Date): void {
  const files = {
    'report.json': poolJson(conclusion),
    'junit.xml': poolJunit(conclusion, startedAt.toISOString()),
    'summary.md': poolMarkdown(conclusion),
    'recording.json': JSON.stringify(conclusion.recording),
  };
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
}
