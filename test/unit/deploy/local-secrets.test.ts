import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { localSecrets } from '#deploy/local/local-secrets.ts';
import { ConfigError } from '#lib/errors.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';

describe('localSecrets', () => {
  test('are made once and then stay', async () => {
    const folder = await temporaryFolder();
    const first = await localSecrets(folder);
    await expect(localSecrets(folder)).resolves.toEqual(first);
  });

  test('differ from one folder to the next, and from each other', async () => {
    const [one, other] = [await localSecrets(await temporaryFolder()), await localSecrets(await temporaryFolder())];
    const all = [...Object.values(one), ...Object.values(other)];
    expect(new Set(all).size).toBe(all.length);
  });

  test('hold keys of the form the API makes', async () => {
    const secrets = await localSecrets(await temporaryFolder());
    expect(secrets.BOOTSTRAP_OPERATOR_KEY).toMatch(/^atk_[\w-]{43}$/);
    expect(secrets.BOOTSTRAP_LOADTEST_KEY).toMatch(/^atk_[\w-]{43}$/);
  });

  test('can be read by their owner only', async () => {
    const folder = await temporaryFolder();
    await localSecrets(folder);
    expect((await stat(join(folder, 'secrets.json'))).mode & 0o777).toBe(0o600);
  });

  test.each(['', '{', '{}', '{"POSTGRES_PASSWORD":"x"}', '[]'])('are refused and left as they are when the file holds %j', async (text) => {
    const folder = await temporaryFolder();
    const file = join(folder, 'secrets.json');
    await writeFile(file, text);
    await expect(localSecrets(folder)).rejects.toThrow(ConfigError);
    await expect(localSecrets(folder)).rejects.toThrow(file);
    await expect(readFile(file, 'utf8')).resolves.toBe(text);
  });
});
