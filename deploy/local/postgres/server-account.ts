import { stat } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { dirname } from 'node:path';
import { runCommand, type Command } from '#lib/run-command.ts';

/** Whom the database server runs as when the caller is root. */
export type Account = {
  readonly uid: number;
  readonly gid: number;
  /**
   * True when a folder above the server's files is closed to others, such as a checkout under /root. The server then
   * keeps the right to pass through (CAP_DAC_OVERRIDE), and nothing else of root's.
   */
  readonly needsPassage: boolean;
};

/**
 * The account for a server that refuses root: the user `postgres`, made when missing. Undefined when the caller is not
 * root, and the server simply runs as the caller.
 * @param folders the server must reach
 */
export async function serverAccount(folders: readonly string[]): Promise<Account | undefined> {
  if (userInfo().uid !== 0) return undefined;
  const ids = (await idsOf('postgres')) ?? (await createAccount());
  const open = await Promise.all(folders.map(isOpenToAll));
  return { ...ids, needsPassage: open.includes(false) };
}

/**
 * The command as that account. On Linux it also ends (SIGINT: fast shutdown) when the process that started it dies, so
 * that a killed stack leaves no server behind.
 */
export function runAs(account: Account | undefined, command: Command): Command {
  if (process.platform !== 'linux') return command;
  const identity = account ? [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups'] : [];
  const passage = account?.needsPassage ? passageOptions : [];
  return {
    ...command,
    file: 'setpriv',
    args: [...identity, ...passage, '--pdeathsig=INT', command.file, ...command.args],
  };
}

/**
 * The securebit lets access(2), by which initdb looks for the server beside itself, count the capability too: without it
 * the kernel leaves a user's capabilities out there. The change of user still takes all others away, at the exec.
 * @see https://man7.org/linux/man-pages/man7/capabilities.7.html
 */
const passageOptions = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override', '--securebits=+no_setuid_fixup'];

async function idsOf(user: string): Promise<{ uid: number; gid: number } | undefined> {
  try {
    const [uid, gid] = await Promise.all([idNumber('-u', user), idNumber('-g', user)]);
    return { uid, gid };
  } catch {
    return undefined;
  }
}

async function idNumber(kind: '-u' | '-g', user: string): Promise<number> {
  const { stdout } = await runCommand({ file: 'id', args: [kind, user] }, { timeoutMs: 5_000 });
  return Number(stdout);
}

async function createAccount(): Promise<{ uid: number; gid: number }> {
  const args = ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', 'postgres'];
  await runCommand({ file: 'useradd', args }, { timeoutMs: 10_000 });
  const ids = await idsOf('postgres');
  if (!ids) throw new Error('useradd made no user postgres');
  return ids;
}

async function isOpenToAll(folder: string): Promise<boolean> {
  for (let current = folder; ; current = dirname(current)) {
    const found = await stat(current).catch(() => undefined);
    if (found && (found.mode & 0o001) === 0) return false;
    if (current === dirname(current)) return true;
  }
}
