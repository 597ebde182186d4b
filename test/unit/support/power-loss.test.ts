import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { crashesOf, type Crash } from '../../support/power-loss.ts';
import { hasStrace, parseTrace, traceWrites } from '../../support/trace-writes.ts';

let folder: string;
beforeEach(({ skip }) => {
  skip(!hasStrace, 'strace is not installed');
  folder = mkdtempSync(join(tmpdir(), 'atalaya-power-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Every state the disk may be in, as the files found there. */
async function crashesOfProgram(source: string): Promise<readonly Crash[]> {
  const events = await traceWrites({ file: process.execPath, args: ['--input-type=module', '--eval', source, join(folder, 'd')] });
  return [...crashesOf(events, join(folder, 'd'), Math.random)];
}

function filesAfter(crash: Crash): Readonly<Record<string, string>> {
  const found = mkdtempSync(join(folder, 'found-'));
  crash.restoreTo(found);
  return Object.fromEntries(readdirSync(found).map((name) => [name, readFileSync(join(found, name), 'utf8')]));
}

const prelude = `import fs from 'node:fs'; const dir = process.argv[1]; fs.mkdirSync(dir);
  const syncFolder = () => { const fd = fs.openSync(dir, 'r'); fs.fsyncSync(fd); fs.closeSync(fd); };`;

const sqlite = (synchronous: string): string => `${prelude}
  const { DatabaseSync } = await import('node:sqlite');
  const db = new DatabaseSync(dir + '/x.db');
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = ${synchronous}; CREATE TABLE t (a)');
  for (let i = 1; i <= 5; i++) { db.exec('INSERT INTO t VALUES (' + i + ')'); process.stdout.write('.'); }
  db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  db.exec('INSERT INTO t VALUES (6)'); process.stdout.write('.');
  db.close();`;

function rowsLost(crash: Crash): number {
  const found = mkdtempSync(join(folder, 'found-'));
  crash.restoreTo(found);
  const db = new DatabaseSync(join(found, 'x.db'));
  try {
    const { rows } = db.prepare('SELECT count(*) AS rows FROM t').get() as { rows: number };
    return Math.max(0, crash.said.length - rows);
  } catch {
    return crash.said.length;
  } finally {
    db.close();
  }
}

describe('a loss of power', () => {
  test('forgets a file that was written and not synced', async () => {
    const crashes = await crashesOfProgram(`${prelude} fs.writeFileSync(dir + '/a', 'text'); process.stdout.write('done');`);
    const forgotten = crashes.filter(({ loss }) => loss === 'forgotten').map(filesAfter);
    expect(forgotten).toEqual([{}]);
  });

  test('forgets the name of a file whose folder was not synced, and keeps it once it was', async () => {
    const write = `const fd = fs.openSync(dir + '/a', 'w'); fs.writeSync(fd, 'text'); fs.fsyncSync(fd);`;
    const unnamed = await crashesOfProgram(`${prelude} ${write}`);
    expect(unnamed.filter(({ loss }) => loss === 'forgotten').map(filesAfter)).toEqual([{}, {}]);
    rmSync(join(folder, 'd'), { recursive: true });
    const named = await crashesOfProgram(`${prelude} ${write} syncFolder(); process.stdout.write('done');`);
    const promised = named.filter(({ said }) => said === 'done');
    expect(promised.map(({ loss }) => loss)).toEqual(['forgotten', 'names first', 'contents first', 'torn']);
    expect(promised.map(filesAfter)).toEqual(promised.map(() => ({ a: 'text' })));
  });

  test('may leave a renamed file under its new name and empty, when it was renamed before it was synced', async () => {
    const crashes = await crashesOfProgram(
      `${prelude} fs.writeFileSync(dir + '/a.part', 'text'); fs.renameSync(dir + '/a.part', dir + '/a'); syncFolder();`,
    );
    expect(crashes.filter(({ loss }) => loss === 'names first').map(filesAfter)).toContainEqual({ a: '' });
  });

  test('takes no row that SQLite had committed with synchronous = FULL, and some with OFF', async () => {
    const kept = await crashesOfProgram(sqlite('FULL'));
    expect(kept.length).toBeGreaterThan(40);
    expect(kept.filter((crash) => rowsLost(crash) > 0).map(({ loss, before }) => `${loss} before ${before}`)).toEqual([]);
    rmSync(join(folder, 'd'), { recursive: true });
    const lost = await crashesOfProgram(sqlite('OFF'));
    expect(lost.filter((crash) => rowsLost(crash) > 0)).not.toEqual([]);
  });
});

test('of a call that another thread interrupted, where it wrote is read all the same', () => {
  const log = ['7 pwrite64(3</\\x61>, "\\x62\\x63", 2, 40 <unfinished ...>', '8 fsync(4</\\x64>) = 0', '7 <... pwrite64 resumed>) = 2'];
  expect(parseTrace(log.join('\n').replaceAll('</', '<\\x2f'))).toEqual([
    { kind: 'sync', path: '/d' },
    { kind: 'write', path: '/a', offset: 40, bytes: Buffer.from('bc') },
  ]);
});
