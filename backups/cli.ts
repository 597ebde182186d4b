import { readEnv } from '#lib/env.ts';
import { UsageError } from '#lib/errors.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import { createProgress, print, runCommandLine, type Arguments, type Verb } from '#lib/command-line.ts';
import { withLocalStack } from '#lib/local-stack.ts';
import { stopSignal } from '#lib/shutdown.ts';
import { backupEnv, type BackupDeps, type BackupProgress, type BackupSettings } from './deps.ts';
import { readCatalogue, summarise } from './set/catalogue.ts';
import { expireBackups } from './expire.ts';
import { describeDecision, describeProgress, describeRestore, describeSets, describeTaken, describeVerified } from './present.ts';
import { restoreBackup } from './restore.ts';
import { takeBackup } from './take.ts';
import { verifyBackup } from './verify.ts';

const json = { json: { type: 'boolean' } } as const;

const take: Verb = {
  synopsis: '[--json]',
  summary: 'Dumps the database into a new set; verify proves it.',
  options: json,
  positionals: [0, 0],
  run: (args) =>
    withDeps(async (deps) => {
      const taken = await takeBackup(deps);
      return { result: taken, text: describeTaken(taken) };
    }, args),
};

const verify: Verb = {
  synopsis: 'ID|latest [--json]',
  summary: 'Restores a set into a scratch database and compares rows and schema with what was dumped; exit 1 names what is wrong.',
  options: json,
  positionals: [1, 1],
  run: (args) =>
    withDeps(async (deps) => {
      const verified = await verifyBackup(deps, args.positionals[0] ?? '');
      for (const reason of verified.reasons) process.stderr.write(`error: ${reason}\n`);
      for (const notice of verified.notices) process.stderr.write(`warning: ${notice}\n`);
      return { result: verified, text: describeVerified(verified), exitCode: verified.ok ? EXIT.done : EXIT.failed };
    }, args),
};

const list: Verb = {
  synopsis: '[--json]',
  summary: 'Shows the sets there are, newest first.',
  options: json,
  positionals: [0, 0],
  run: (args) =>
    withDeps(async ({ dir }) => {
      const { sets, damaged } = await readCatalogue(dir);
      for (const { id, reason } of damaged) process.stderr.write(`warning: ${id} is damaged: ${reason}\n`);
      const summaries = sets.map(({ manifest }) => summarise(manifest));
      return { result: summaries, text: describeSets(summaries, dir) };
    }, args),
};

const expire: Verb = {
  synopsis: '[--dry-run] [--json]',
  summary: 'Deletes sets older than BACKUP_KEEP_DAYS; never the newest BACKUP_KEEP_MIN verified ones.',
  options: { ...json, 'dry-run': { type: 'boolean' } },
  positionals: [0, 0],
  run: (args) =>
    withDeps(async (deps, settings) => {
      const dryRun = args.flags['dry-run'] === true;
      const policy = { keepDays: settings.BACKUP_KEEP_DAYS, keepMin: settings.BACKUP_KEEP_MIN };
      const decisions = await expireBackups(deps, { ...policy, dryRun });
      return { result: decisions, text: decisions.map((decision) => describeDecision(decision, dryRun)).join('\n') || 'no backups' };
    }, args),
};

const restore: Verb = {
  synopsis: 'ID|latest --target DB [--swap] [--force] [--no-owner] [--json]',
  summary:
    'Restores a set under the name DB; in the place of a database that is not empty only with --swap, after a safety backup of it, or with --force, which also ends the sessions there.',
  options: { ...json, target: { type: 'string' }, swap: { type: 'boolean' }, force: { type: 'boolean' }, 'no-owner': { type: 'boolean' } },
  positionals: [1, 1],
  run: (args) =>
    withDeps(async (deps) => {
      const restored = await restoreBackup(deps, {
        which: args.positionals[0] ?? '',
        target: requireTarget(args),
        swap: args.flags['swap'] === true,
        force: args.flags['force'] === true,
        noOwner: args.flags['no-owner'] === true,
      });
      for (const notice of restored.notices) process.stderr.write(`warning: ${notice}\n`);
      return { result: restored, text: describeRestore(restored) };
    }, args),
};

function requireTarget({ flags }: Arguments): string {
  const { target } = flags;
  if (typeof target === 'string' && target !== '') return target;
  throw new UsageError('restore: --target DB is missing; it names the database that is to hold the content');
}

type Outcome = { readonly result: unknown; readonly text: string; readonly exitCode?: ExitCode };

async function withDeps(work: (deps: BackupDeps, settings: BackupSettings) => Promise<Outcome>, args: Arguments): Promise<ExitCode> {
  const settings = readEnv(backupEnv, withLocalStack(process.env));
  const stop = new AbortController();
  void stopSignal().then((signal) => stop.abort(signal));
  const progress = createProgress();
  const startedAt = performance.now();
  let last: BackupProgress | undefined;
  const show = (): void => last && progress.update(describeProgress(last, performance.now() - startedAt));
  // Steps that say nothing for a while must not look stuck.
  const timer = setInterval(show, 500);
  const deps: BackupDeps = {
    postgres: settings,
    dir: settings.BACKUP_DIR,
    now: () => new Date(),
    signal: stop.signal,
    onProgress: (now) => {
      last = now;
    },
  };
  const { result, text, exitCode } = await work(deps, settings).finally(() => {
    clearInterval(timer);
    progress.done();
  });
  print(args.flags['json'] === true ? JSON.stringify(result, null, 2) : text);
  return exitCode ?? EXIT.done;
}

process.exitCode = await runCommandLine(
  {
    invocation: 'npm run backup --',
    summary: 'Backups that count only once they have been restored.',
    verbs: { take, list, verify, expire, restore },
    footer: 'Sets are kept in BACKUP_DIR. Exit codes: 0 done, 1 failed, 64 usage, 69 database unreachable, 75 busy, 78 configuration.',
  },
  process.argv.slice(2),
);
