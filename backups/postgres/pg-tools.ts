import { CommandNotFoundError, runCommand, type CommandError } from '#lib/run-command.ts';
import { BackupFailedError, BackupRefusedError } from '../errors.ts';

export type ToolName = 'pg_dump' | 'pg_dumpall' | 'pg_restore' | 'psql';

export type ToolVersion = {
  /** As in 15.18. */
  readonly text: string;
  readonly major: number;
};

/**
 * The version a client program of PostgreSQL says it has.
 * @throws {BackupRefusedError} when it is not installed, naming the command that installs it.
 */
export async function toolVersion(tool: ToolName, serverMajor: number): Promise<ToolVersion> {
  const stdout = await versionLine(tool, serverMajor);
  const version = parseToolVersion(stdout);
  if (!version) throw new BackupFailedError(`${tool} --version says "${stdout.trim().slice(0, 80)}", which names no PostgreSQL version`);
  return version;
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

/**
 * The version, once it is known to be fit for the server: pg_dump cannot read a server newer than itself.
 * @throws {BackupRefusedError} `tool-missing` or `tool-too-old`.
 */
export async function requireTool(tool: ToolName, serverMajor: number): Promise<ToolVersion> {
  const version = await toolVersion(tool, serverMajor);
  if (version.major >= serverMajor) return version;
  throw new BackupRefusedError(
    'tool-too-old',
    `${tool} ${version.text} is older than the server (PostgreSQL ${serverMajor}) and cannot be used; ${howToInstall(serverMajor)}`,
  );
}

const howToInstall = (serverMajor: number): string =>
  `install version ${serverMajor} or newer: apt-get install postgresql-client-${serverMajor}`;

/** What a client program says went wrong: its first error line, since the last ones only tell what followed from it. */
export function faultOfTool(err: CommandError): string {
  const line = err.stderrTail.split('\n').find((text) => /\berror:/i.test(text));
  return line?.trim() ?? err.message;
}
