import { randomBytes } from 'node:crypto';
import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { ConfigError, messageOf } from '#lib/errors.ts';

const secretsSchema = z.object({
  POSTGRES_PASSWORD: z.string().min(1),
  ADMIN_TOKEN: z.string().min(16),
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
  const parsed = secretsSchema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
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
    AUTH_TOKEN_SECRET: random(),
    BOOTSTRAP_OPERATOR_KEY: `atk_${random()}`,
    BOOTSTRAP_LOADTEST_KEY: `atk_${random()}`,
  };
  await writePrivately(file, secrets);
  return secrets;
}

/** Writes JSON that only the owner may read, whole or not at all. */
export async function writePrivately(file: string, value: unknown): Promise<void> {
  const partial = `${file}.partial`;
  await writeFile(partial, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  await rename(partial, file);
}
