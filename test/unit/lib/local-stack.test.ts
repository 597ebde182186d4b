import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { localDataDir, readLocalStack, stackFileName, withLocalStack } from '#lib/local-stack.ts';

const env = { POSTGRES_HOST: '127.0.0.1', POSTGRES_PORT: '54320', API_URL: 'http://127.0.0.1:8000' };
let dataDir = '';

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'atalaya-stack-'));
});
afterEach(() => rmSync(dataDir, { recursive: true }));

const publish = (pid: number): void =>
  writeFileSync(join(dataDir, stackFileName), JSON.stringify({ pid, startedAt: '2026-01-01T00:00:00Z', env }));

const endedPid = (): number => spawnSync('true').pid;

describe('withLocalStack', () => {
  test('completes the environment from the stack that runs', () => {
    publish(process.pid);
    expect(withLocalStack({ LOCAL_DATA_DIR: dataDir })).toEqual({ LOCAL_DATA_DIR: dataDir, ...env });
  });

  test('lets what the user has set win, but not what is empty', () => {
    publish(process.pid);
    const completed = withLocalStack({ LOCAL_DATA_DIR: dataDir, API_URL: 'http://other', POSTGRES_PORT: '' });
    expect(completed).toMatchObject({ API_URL: 'http://other', POSTGRES_PORT: '54320' });
  });

  test.each(['POSTGRES_HOST', 'POSTGRES_HOST_FILE'])('leaves the environment alone when %s names another database', (variable) => {
    publish(process.pid);
    const own = { LOCAL_DATA_DIR: dataDir, [variable]: 'db.example' };
    expect(withLocalStack(own)).toEqual(own);
  });

  test.each([
    ['there is no stack', () => {}],
    ['its process has ended', () => publish(endedPid())],
    ['its file is damaged', () => writeFileSync(join(dataDir, stackFileName), '{"pid":')],
  ])('leaves the environment alone when %s', (_, prepare) => {
    prepare();
    expect(withLocalStack({ LOCAL_DATA_DIR: dataDir })).toEqual({ LOCAL_DATA_DIR: dataDir });
    expect(readLocalStack({ LOCAL_DATA_DIR: dataDir })).toBeUndefined();
  });
});

test('the data folder is .local unless LOCAL_DATA_DIR says otherwise', () => {
  expect(localDataDir({})).toBe(join(process.cwd(), '.local'));
  expect(localDataDir({ LOCAL_DATA_DIR: '' })).toBe(join(process.cwd(), '.local'));
  expect(localDataDir({ LOCAL_DATA_DIR: '/srv/shop' })).toBe('/srv/shop');
});
