import { randomBytes } from 'node:crypto';
import { readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { ConfigError, messageOf } from '#lib/errors.ts';
import { stackFileName, type LocalStack } from '#lib/local-stack.ts';
import { lockFolder, makeFolder, type FolderLock } from '#lib/lock.ts';
import { EmbeddedPostgresError } from '../postgres/embedded-postgres.ts';

/**
 * Makes this process the only stack on a data folder, which is made when missing.
 * @throws {BusyError} naming the process that runs there
 */
export function lockDataFolder(dataDir: string, now: Date): FolderLock {
  // Open to others: the database in it may run as another user.
  makeFolder(dataDir);
  return lockFolder(dataDir, { name: 'stack.lock', purpose: 'npm start', cure: 'stop it or set LOCAL_DATA_DIR to another folder', now });
}

const cures: Readonly<Record<string, string>> = {
  ENOSPC: 'free some space or set LOCAL_DATA_DIR to a folder on another disk',
  EDQUOT: 'free some space or set LOCAL_DATA_DIR to a folder on another disk',
  EROFS: 'set LOCAL_DATA_DIR to a folder that can be written',
  EACCES: 'set LOCAL_DATA_DIR to a folder that this user may write',
  EPERM: 'set LOCAL_DATA_DIR to a folder that this user may write',
  ENOENT: 'set LOCAL_DATA_DIR to a folder in which others can be made',
  ENOTDIR: 'set LOCAL_DATA_DIR to a folder',
  EEXIST: 'set LOCAL_DATA_DIR to a folder',
};

/** An error of the file system at work in a data folder, in one line with the variable that mends it; any other as it is. */
export function explainFolderError(err: unknown, dataDir: string): unknown {
  const { code, path } = (err ?? {}) as NodeJS.ErrnoException;
  const isFull = err instanceof EmbeddedPostgresError && err.message.includes('No space left on device');
  // Errors of sockets have such codes too, but no path.
  const cure = isFull ? cures['ENOSPC'] : path === undefined ? undefined : cures[code ?? ''];
  return cure === undefined
    ? err
    : new ConfigError([`LOCAL_DATA_DIR=${dataDir} cannot be used: ${messageOf(err)}; ${cure}`], { cause: err });
}

const secretsSchema = z.object({
  POSTGRES_PASSWORD: z.string().min(1),
  ADMIN_TOKEN: z.string().min(16),
  // Older files lack it.
  MONITOR_PASSWORD: z
    .string()
    .min(12)
    .default(() => random()),
  AUTH_TOKEN_SECRET: z.string().min(32),
  BOOTSTRAP_OPERATOR_KEY: z.string().min(24),
  BOOTSTRAP_LOADTEST_KEY: z.string().min(24),
});

/** What a local stack needs to be secret. The password is that of the embedded database's owner. */
export type LocalSecrets = Readonly<z.output<typeof secretsSchema>>;

/**
 * The secrets of a data folder, made at the first call and kept in its secrets.json (mode 0600).
 * @throws {ConfigError} when the file is there but cannot be used; it is never overwritten, since the database in the same
 * folder knows its password.
 */
export async function localSecrets(dataDir: string): Promise<LocalSecrets> {
  const file = join(dataDir, 'secrets.json');
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') return writeSecrets(file);
    throw new ConfigError([`${file} cannot be read: ${messageOf(err)}`], { cause: err });
  }
  const held = parseJson(text);
  const parsed = secretsSchema.safeParse(held);
  if (parsed.success) {
    if (!Object.hasOwn(held as object, 'MONITOR_PASSWORD')) await writePrivately(file, parsed.data);
    return parsed.data;
  }
  throw new ConfigError([`${file} does not hold the secrets of a local stack; restore it, or remove ${dataDir} to start afresh`]);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const random = (): string => randomBytes(32).toString('base64url');

async function writeSecrets(file: string): Promise<LocalSecrets> {
  const secrets: LocalSecrets = {
    POSTGRES_PASSWORD: random(),
    ADMIN_TOKEN: random(),
    MONITOR_PASSWORD: random(),
    AUTH_TOKEN_SECRET: random(),
    BOOTSTRAP_OPERATOR_KEY: `atk_${random()}`,
    BOOTSTRAP_LOADTEST_KEY: `atk_${random()}`,
  };
  await writePrivately(file, secrets);
  return secrets;
}

const stackFile = (dataDir: string): string => join(dataDir, stackFileName);

/** Tells other commands that the stack serves, and how to reach it. */
export const publishStack = (dataDir: string, stack: LocalStack): Promise<void> => writePrivately(stackFile(dataDir), stack);

export const withdrawStack = (dataDir: string): Promise<void> => rm(stackFile(dataDir), { force: true });

/** Whether the last stack here was killed: an orderly stop withdraws what it published. Ask while you hold the lock. */
export const wasKilled = (dataDir: string): Promise<boolean> =>
  stat(stackFile(dataDir)).then(
    () => true,
    () => false,
  );

/** Writes JSON that only the owner may read, whole or not at all. */
async function writePrivately(file: string, value: unknown): Promise<void> {
  const partial = `${file}.partial`;
  await writeFile(partial, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  await rename(partial, file);
}
