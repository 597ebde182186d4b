import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { explainFolderError, localSecrets, lockDataFolder } from '#deploy/local/stack/data-folder.ts';
import { EmbeddedPostgresError } from '#deploy/local/postgres/embedded-postgres.ts';
import { BusyError, ConfigError } from '#lib/errors.ts';
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

  test('of an older version get what they lack, and keep what they have', async () => {
    const folder = await temporaryFolder();
    const { MONITOR_PASSWORD: _, ...older } = await localSecrets(folder);
    await writeFile(join(folder, 'secrets.json'), JSON.stringify(older));
    const completed = await localSecrets(folder);
    expect(completed).toEqual({ ...older, MONITOR_PASSWORD: expect.stringMatching(/^[\w-]{43}$/) });
    await expect(localSecrets(folder)).resolves.toEqual(completed);
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

describe('a data folder', () => {
  test('is one stack’s at a time, which is named with the variable that chooses another', async () => {
    const folder = join(await temporaryFolder(), 'made/when/missing');
    const lock = lockDataFolder(folder, new Date());
    expect(() => lockDataFolder(folder, new Date())).toThrow(BusyError);
    expect(() => lockDataFolder(folder, new Date())).toThrow(
      new RegExp(
        `^${folder} is in use by "npm start" \\(process ${process.pid} on .*\\); stop it or set LOCAL_DATA_DIR to another folder$`,
      ),
    );
    lock.release();
    lockDataFolder(folder, new Date()).release();
  });

  test.each([
    ['is no folder', (parent: string) => `${parent}/file/data`, 'EEXIST', 'set LOCAL_DATA_DIR to a folder'],
    ['nobody can make', () => '/proc/atalaya/data', 'ENOENT', 'set LOCAL_DATA_DIR to a folder in which others can be made'],
  ])('that %s is named with its variable, what is wrong and the cure', async (_what, folderIn, code, cure) => {
    const parent = await temporaryFolder();
    await writeFile(join(parent, 'file'), '');
    const folder = folderIn(parent);
    const take = (): unknown => {
      try {
        return lockDataFolder(folder, new Date());
      } catch (err) {
        return err;
      }
    };
    expect(explainFolderError(take(), folder)).toMatchObject({
      problems: [expect.stringMatching(new RegExp(`^LOCAL_DATA_DIR=${folder} cannot be used: ${code}: .*; ${cure}$`))],
    });
  });

  test.each([
    [Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC', path: '/d/x' }), 'free some space or set LOCAL_DATA_DIR'],
    [Object.assign(new Error('EACCES: denied'), { code: 'EACCES', path: '/d' }), 'that this user may write'],
    [new EmbeddedPostgresError('no database: No space left on device'), 'free some space or set LOCAL_DATA_DIR'],
  ])('of which comes %o is named with the cure', (err, cure) => {
    expect((explainFolderError(err, '/d') as Error).message).toContain(cure);
  });

  test.each([
    [Object.assign(new Error('listen EACCES'), { code: 'EACCES', syscall: 'listen' })],
    [new EmbeddedPostgresError('no database: wrong password')],
    [undefined],
    [new BusyError('busy')],
  ])('has nothing to do with %o', (err) => {
    expect(explainFolderError(err, '/d')).toBe(err);
  });
});
