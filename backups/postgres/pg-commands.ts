/**
 * Argument lists of PostgreSQL's client programs; nothing here runs them. The connection and its password come from
 * PG* variables, which `ps` does not show.
 */

/**
 * Custom format on standard output: compressed, and restorable in parts. Owners and privileges are kept in it. The
 * tables are locked by the snapshot's session already, so a lock that is not to be had at once is a deadlock (see
 * take-backup), and waiting makes nothing better.
 */
export function pgDumpArgs(options: { readonly snapshot: string }): string[] {
  return ['--format=custom', '--compress=6', '--no-password', '--lock-wait-timeout=3s', `--snapshot=${options.snapshot}`];
}

/**
 * Roles, tablespaces and role settings on standard output.
 * @param rolePasswords only a superuser can read them
 */
export function pgDumpAllArgs(options: { readonly database: string; readonly rolePasswords: boolean }): string[] {
  const passwords = options.rolePasswords ? [] : ['--no-role-passwords'];
  return ['--globals-only', '--no-password', ...passwords, `--database=${options.database}`];
}

/** What of a dump is restored: `data` leaves out whatever names a role, a tablespace or a replication peer. */
export type RestoreScope = 'everything' | 'data';

const scopeArgs: Readonly<Record<RestoreScope, readonly string[]>> = {
  everything: [],
  data: ['--no-owner', '--no-privileges', '--no-tablespaces', '--no-publications', '--no-subscriptions', '--no-security-labels'],
};

/** Straight into a database, by two connections; ends at the first error. */
export function pgRestoreArgs(options: { readonly file: string; readonly database: string; readonly scope: RestoreScope }): string[] {
  return ['--exit-on-error', '--no-password', '--jobs=2', ...scopeArgs[options.scope], `--dbname=${options.database}`, options.file];
}

/** As SQL text to `output` ("-": standard output), which reads the archive to its end. */
export function pgRestoreToTextArgs(options: { readonly file: string; readonly output: string; readonly scope: RestoreScope }): string[] {
  return ['--exit-on-error', ...scopeArgs[options.scope], `--file=${options.output}`, options.file];
}

/** Runs SQL from standard input; ends with status 3 at the first error. */
export function psqlArgs(options: { readonly database: string }): string[] {
  const quiet = ['--no-psqlrc', '--quiet', '--output=/dev/null'];
  return [...quiet, '--no-password', '--set=ON_ERROR_STOP=1', `--dbname=${options.database}`];
}
