import { libpqEnvironment } from '#lib/postgres.ts';
import { CommandNotFoundError, runCommand, type Command, type CommandError } from '#lib/run-command.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { applicationName } from '../deps.ts';
import { BackupFailedError, BackupRefusedError } from '../errors.ts';

/**
 * PostgreSQL's client programs as values; nothing here runs a dump or a restore. The connection and its password come
 * from PG* variables, which `ps` does not show.
 */

/**
 * Custom format on standard output: compressed, and restorable in parts. Owners and privileges are kept in it. The
 * tables are locked by the snapshot's session already, so a lock that is not to be had at once is a deadlock (see
 * take), and waiting makes nothing better.
 */
export function pgDump(database: PostgresSettings, options: { readonly snapshot: string }): Command {
  const args = ['--format=custom', '--compress=6', '--no-password', '--lock-wait-timeout=3s', `--snapshot=${options.snapshot}`];
  return { file: 'pg_dump', args, env: libpqEnvironment(database, applicationName), gathersBytes: 256 * 1024 };
}

/**
 * Roles, tablespaces and role settings on standard output.
 * @param options.rolePasswords only a superuser can read them
 */
export function pgDumpAllGlobals(database: PostgresSettings, options: { readonly rolePasswords: boolean }): Command {
  const passwords = options.rolePasswords ? [] : ['--no-role-passwords'];
  const args = ['--globals-only', '--no-password', ...passwords, `--database=${database.POSTGRES_DB}`];
  return { file: 'pg_dumpall', args, env: libpqEnvironment(database, applicationName) };
}

/**
 * What of a dump is restored: `everything`; for a `proof` all but what reaches beyond the database (a subscription would
 * even keep it from being dropped); of the `data` nothing that names a role.
 */
export type RestoreScope = 'everything' | 'proof' | 'data';

const proofArgs = ['--no-tablespaces', '--no-subscriptions', '--no-security-labels'];

const scopeArgs: Readonly<Record<RestoreScope, readonly string[]>> = {
  everything: [],
  proof: proofArgs,
  data: [...proofArgs, '--no-owner', '--no-privileges', '--no-publications'],
};

/** Straight into a database, by two connections; ends at the first error. */
export function pgRestore(into: PostgresSettings, options: { readonly file: string; readonly scope: RestoreScope }): Command {
  const args = ['--exit-on-error', '--no-password', '--jobs=2', ...scopeArgs[options.scope], `--dbname=${into.POSTGRES_DB}`, options.file];
  return { file: 'pg_restore', args, env: libpqEnvironment(into, applicationName), endsWithParent: true };
}

/** As SQL text to `output` ("-": standard output), which reads the archive to its end. */
export function pgRestoreToText(options: { readonly file: string; readonly output: string; readonly scope: RestoreScope }): Command {
  return { file: 'pg_restore', args: ['--exit-on-error', ...scopeArgs[options.scope], `--file=${options.output}`, options.file] };
}

/** The archive's table of contents on standard output, one object or grant a line. */
export function pgRestoreList(options: { readonly file: string }): Command {
  return { file: 'pg_restore', args: ['--list', options.file] };
}

/** Runs SQL from standard input; ends with status 3 at the first error. */
export function psql(into: PostgresSettings): Command {
  const quiet = ['--no-psqlrc', '--quiet', '--output=/dev/null', '--no-password'];
  return {
    file: 'psql',
    args: [...quiet, '--set=ON_ERROR_STOP=1', `--dbname=${into.POSTGRES_DB}`],
    env: libpqEnvironment(into, applicationName),
    endsWithParent: true,
  };
}

type ToolName = 'pg_dump' | 'pg_dumpall' | 'pg_restore' | 'psql';

type ToolVersion = {
  /** As in 15.18. */
  readonly text: string;
  readonly major: number;
};

/**
 * The version of a client program, once it is known to be fit for the server: pg_dump cannot read a server newer than
 * itself.
 * @throws {BackupRefusedError} `tool-missing` or `tool-too-old`, naming the command that installs it
 */
export async function requireTool(tool: ToolName, serverMajor: number): Promise<ToolVersion> {
  const stdout = await versionLine(tool, serverMajor);
  const version = parseToolVersion(stdout);
  if (!version) throw new BackupFailedError(`${tool} --version says "${stdout.trim().slice(0, 80)}", which names no PostgreSQL version`);
  if (version.major >= serverMajor) return version;
  throw new BackupRefusedError(
    'tool-too-old',
    `${tool} ${version.text} is older than the server (PostgreSQL ${serverMajor}) and cannot be used; ${howToInstall(serverMajor)}`,
  );
}

async function versionLine(tool: ToolName, serverMajor: number): Promise<string> {
  try {
    return (await runCommand({ file: tool, args: ['--version'] }, { timeoutMs: 10_000 })).stdout;
  } catch (err) {
    if (!(err instanceof CommandNotFoundError)) throw err;
    throw new BackupRefusedError('tool-missing', `${tool} is not installed or not on PATH; ${howToInstall(serverMajor)}`, { cause: err });
  }
}

/** Reads lines such as `pg_dump (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` and `pg_dump (PostgreSQL) 17beta1`. */
export function parseToolVersion(line: string): ToolVersion | undefined {
  const match = /\(PostgreSQL\) ((\d+)[\w.]*)/.exec(line);
  return match?.[1] && match[2] ? { text: match[1], major: Number(match[2]) } : undefined;
}

/** Each release of Debian has one version under the name without a number; the others are in PostgreSQL's own archive. */
const howToInstall = (serverMajor: number): string =>
  `install version ${serverMajor} or newer: apt-get install postgresql-client (if that is older, from https://apt.postgresql.org)`;

/** What a client program says went wrong: its first error line, since the last ones only tell what followed from it. */
export function faultOfTool(err: CommandError): string {
  const line = err.stderrTail.split('\n').find((text) => /\berror:/i.test(text));
  return line?.trim() ?? err.message;
}
