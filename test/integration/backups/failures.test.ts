import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { listBackups } from '#backups/set/catalogue.ts';
import { takeBackup } from '#backups/take.ts';
import { verifyBackup } from '#backups/verify.ts';
import { retry } from '#lib/retry.ts';
import {
  missingClient,
  onPath,
  openShop,
  pathWith,
  query,
  runCli,
  scratchDatabases,
  setsAndLeftovers,
  startCli,
  temporaryFolder,
} from './shop.ts';

beforeEach(({ skip }) => skip(missingClient !== undefined, missingClient));

const eventually = <T>(check: () => Promise<T>): Promise<T> => retry(check, { attempts: 300, firstDelayMs: 20, maxDelayMs: 50 });

/** A pg_dump that writes its process number into a file, a little of a dump, and then nothing until its pipe breaks. */
async function endlessDump(): Promise<{ path: string; pid: () => Promise<number> }> {
  const file = join(await temporaryFolder(), 'pid');
  const path = await pathWith({ pg_dump: `${exceptVersion}\necho $$ > ${file}\nwhile printf 'PGDMP'; do sleep 0.05; done` });
  return { path, pid: () => eventually(async () => requireNumber(await readFile(file, 'utf8'))) };
}

/** First line of a script that stands for a program and leaves its --version to the real one. */
const exceptVersion = 'case "$1" in --version) exec $REAL --version;; esac';

function requireNumber(text: string): number {
  if (!/^\d+\n$/.test(text)) throw new Error('not written yet');
  return Number(text);
}

async function hasEnded(pid: number): Promise<void> {
  if (existsSync(`/proc/${pid}`) && !(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ') Z')).includes(') Z')) {
    throw new Error(`${pid} still runs`);
  }
}

describe('a take that fails leaves nothing, and says why in one line', () => {
  test('pg_dump is killed half-way', async () => {
    const deps = await openShop();
    const path = await pathWith({ pg_dump: `${exceptVersion}\n$REAL "$@" | head -c 20000\nkill -9 $$` });
    await expect(onPath(path, () => takeBackup(deps))).rejects.toThrow('pg_dump was ended by SIGKILL');
    expect(await setsAndLeftovers(deps)).toEqual([]);
  });

  test('pg_dump ends half-way and says so only by its status', async () => {
    const deps = await openShop();
    const path = await pathWith({ pg_dump: `${exceptVersion}\n$REAL "$@" | head -c 20000\nexit 1` });
    await expect(onPath(path, () => takeBackup(deps))).rejects.toThrow('pg_dump ended with status 1');
    expect(await setsAndLeftovers(deps)).toEqual([]);
  });

  test('pg_dump writes nothing and claims success', async () => {
    const deps = await openShop();
    const path = await pathWith({ pg_dump: exceptVersion });
    await expect(onPath(path, () => takeBackup(deps))).rejects.toThrow('pg_dump ended well and wrote nothing');
    expect(await setsAndLeftovers(deps)).toEqual([]);
  });

  test('pg_dumpall fails after a good dump', async () => {
    const deps = await openShop();
    const path = await pathWith({ pg_dumpall: 'echo "pg_dumpall: error: no" >&2; exit 1' });
    await expect(onPath(path, () => takeBackup(deps))).rejects.toThrow('pg_dumpall: error: no');
    expect(await setsAndLeftovers(deps)).toEqual([]);
  });

  test('the session that holds the snapshot is ended', async () => {
    const deps = await openShop();
    const { path, pid } = await endlessDump();
    const failure = onPath(path, () => takeBackup(deps)).catch((err: unknown) => err);
    const dump = await pid();
    await query(
      deps.postgres,
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'atalaya-backup' AND datname = current_database()`,
    );
    expect(await failure).toMatchObject({ code: 'TARGET_UNREACHABLE' });
    await eventually(() => hasEnded(dump));
    expect(await setsAndLeftovers(deps)).toEqual([]);
  });
});

describe('a program that is not fit', () => {
  test('missing: exit 78, naming the command that installs it', async () => {
    const deps = await openShop();
    const { status, stderr } = await runCli(deps, ['take'], { PATH: '/nonexistent' });
    expect(status).toBe(78);
    expect(stderr).toMatch(
      /^error: pg_dump is not installed or not on PATH; install version 15 or newer: apt-get install postgresql-client \(.*\n$/,
    );
    expect(await setsAndLeftovers(deps)).toEqual([]);
  });

  test('older than the server: exit 78, naming both versions', async () => {
    const deps = await openShop();
    const { status, stderr } = await runCli(deps, ['take'], { PATH: await pathWith({ pg_dump: 'echo "pg_dump (PostgreSQL) 12.22"' }) });
    expect(status).toBe(78);
    expect(stderr).toMatch(/^error: pg_dump 12\.22 is older than the server \(PostgreSQL 15\).*apt-get install postgresql-client .*\n$/);
    expect(await setsAndLeftovers(deps)).toEqual([]);
  });
});

describe('two at once', () => {
  test('into one folder: one is done, the other ends with 75 and names the holder', async () => {
    const deps = await openShop();
    const path = await pathWith({ pg_dump: `${exceptVersion}\nsleep 1; exec $REAL "$@"` });
    const outcomes = await Promise.all([runCli(deps, ['take'], { PATH: path }), runCli(deps, ['take'], { PATH: path })]);
    expect(new Set(outcomes.map(({ status }) => status))).toEqual(new Set([0, 75]));
    expect(outcomes.find(({ status }) => status === 75)?.stderr).toMatch(/^error: .* is in use by "backup take" \(process \d+ on .*\n$/);
    expect(await listBackups(deps.dir)).toHaveLength(1);
  });

  test('of one database, into two folders: one is done, the other is busy', async () => {
    const deps = await openShop();
    const path = await pathWith({ pg_dump: `${exceptVersion}\nsleep 1; exec $REAL "$@"` });
    const other = { ...deps, dir: `${deps.dir}-other` };
    const outcomes = await onPath(path, () => Promise.allSettled([takeBackup(deps), takeBackup(other)]));
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
    expect(refused).toEqual([expect.objectContaining({ code: 'BUSY', message: expect.stringContaining('being backed up already') })]);
  });
});

describe('a take that is told to stop', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('by %s ends pg_dump, leaves nothing and exits 1', async (signal) => {
    const deps = await openShop();
    const { path, pid } = await endlessDump();
    const cli = startCli(deps, ['take'], { PATH: path });
    const dump = await pid();
    cli.kill(signal);
    const { status, stderr } = await cli.ended;
    expect([status, stderr]).toEqual([1, `error: backup take was canceled by ${signal}; nothing was left behind\n`]);
    await eventually(() => hasEnded(dump));
    expect(await setsAndLeftovers(deps)).toEqual([]);
  });

  test('by SIGKILL leaves nothing that list shows; the next take clears up and is not held back', async () => {
    const deps = await openShop();
    const { path, pid } = await endlessDump();
    const cli = startCli(deps, ['take'], { PATH: path });
    const dump = await pid();
    cli.kill('SIGKILL');
    await cli.ended;
    await eventually(() => hasEnded(dump));
    expect(await listBackups(deps.dir)).toEqual([]);
    expect(await setsAndLeftovers(deps)).toEqual(expect.arrayContaining([expect.stringMatching(/^\.part-/)]));
    // The dead run's session ends by itself within seconds, and its lock with it.
    const { id } = await eventually(() => takeBackup(deps));
    expect(await setsAndLeftovers(deps)).toEqual([id]);
  });
});

test('a verify that is told to stop drops its scratch database and leaves the state', async () => {
  const deps = await openShop();
  await takeBackup(deps);
  const stop = new AbortController();
  const verifying = verifyBackup(
    { ...deps, signal: stop.signal, onProgress: ({ step }) => step === 'restore' && stop.abort('SIGTERM') },
    'latest',
  );
  await expect(verifying).rejects.toMatchObject({ code: 'BACKUP_CANCELED' });
  expect(await scratchDatabases(deps)).toEqual([]);
  expect(await listBackups(deps.dir)).toMatchObject([{ state: 'written' }]);
  expect(await verifyBackup(deps, 'latest')).toMatchObject({ ok: true });
});

test('a restore that is killed leaves no program, and its scratch database goes with the next command of any kind', async () => {
  const deps = await openShop();
  // Long enough to be met in the act.
  await query(deps.postgres, 'CREATE TABLE archive.long AS SELECT n, md5(n::text) FROM generate_series(1, 50000) n');
  await takeBackup(deps);
  const file = join(await temporaryFolder(), 'pid');
  const path = await pathWith({ pg_restore: `case "$*" in *--dbname=*) echo $$ > ${file}; sleep 60 & wait;; *) exec $REAL "$@";; esac` });
  const cli = startCli(deps, ['restore', 'latest', '--target', `${deps.postgres.POSTGRES_DB}_copy`], { PATH: path });
  const restoring = await eventually(async () => requireNumber(await readFile(file, 'utf8')));
  const [left] = await scratchDatabases(deps);
  cli.kill('SIGKILL');
  await cli.ended;
  await eventually(() => hasEnded(restoring));
  expect(await scratchDatabases(deps)).toEqual([left]);
  // The dead run's session ends by itself within seconds, and its claim on the database with it.
  await eventually(async () => {
    await takeBackup(deps);
    if ((await scratchDatabases(deps)).length > 0) throw new Error('still there');
  });
});

test('a scratch database in use is left alone by other runs', async () => {
  const deps = await openShop();
  await takeBackup(deps);
  const other = { ...deps, dir: `${deps.dir}-other` };
  let during: Promise<unknown> | undefined;
  const { ok } = await verifyBackup(
    { ...deps, onProgress: ({ step }) => void (step === 'restore' && (during ??= takeBackup(other))) },
    'latest',
  );
  await during;
  expect(ok).toBe(true);
});

describe('where backups go', () => {
  test('an unreachable database is exit 69, before anything is made', async () => {
    const deps = await openShop();
    const nowhere = { ...deps, postgres: { ...deps.postgres, POSTGRES_PORT: 1 } };
    const { status, stderr } = await runCli(nowhere, ['take']);
    expect([status, stderr]).toEqual([69, expect.stringMatching(/^error: PostgreSQL at 127\.0\.0\.1:1 cannot be reached: .*\n$/)]);
    expect(await setsAndLeftovers(deps)).toEqual([]);
  });

  test('a folder that cannot be made is exit 78, naming BACKUP_DIR', async () => {
    const deps = await openShop();
    await mkdir(deps.dir);
    await writeFile(join(deps.dir, 'file'), '');
    const { status, stderr } = await runCli({ ...deps, dir: join(deps.dir, 'file', 'sets') }, ['take']);
    expect([status, stderr]).toEqual([78, expect.stringMatching(/^error: backup folder .* is not writable: .*BACKUP_DIR\n$/)]);
  });
});
