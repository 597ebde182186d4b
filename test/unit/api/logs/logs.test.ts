// All that a process logs: files, lines, rotation, disks that fail; they share one small world of logs, so it is long.

import { closeSync, openSync } from 'node:fs';
import { appendFile, mkdir, readFile, readdir, rename, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { accessLine, type AccessEntry } from '#api/logs/access-line.ts';
import { openApiLogs } from '#api/logs/api-logs.ts';
import { openLogFile } from '#api/logs/log-file.ts';
import type { WriterNote } from '#api/logs/writer-note.ts';
import { runCommand } from '#lib/run-command.ts';
import { ConfigError } from '#lib/errors.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';
import { lineLengths } from './line-lengths.ts';

const entry: AccessEntry = {
  requestId: 'r-1',
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  spanId: '00f067aa0ba902b7',
  method: 'GET',
  path: '/api/v1/products/1',
  route: '/products/:id',
  status: 200,
  durationMs: 1.234,
  bytes: 162,
  ip: '192.0.2.1',
  principal: 'client:7',
};
const fail = (message: string): never => {
  throw new Error(message);
};
const linesOf = async (file: string): Promise<string[]> => (await readFile(file, 'utf8')).split('\n').slice(0, -1);

/** Writes where nothing can be written, then where it can: what stands there in the end. */
const linesAfterFullDisk = async (): Promise<string[]> => {
  const folder = await temporaryFolder();
  const path = join(folder, 'app.log');
  await symlink('/dev/full', path);
  const problem = Promise.withResolvers<string>();
  const file = await openLogFile(path, { onProblem: problem.resolve, flushAfterMs: 1 });
  file.write('kept\n');
  expect(await problem.promise).toContain('ENOSPC');
  file.flushSync();
  await symlink(join(folder, 'new'), join(folder, 'next'));
  await rename(join(folder, 'next'), path);
  await file.followPath();
  file.write('new\n');
  await expect.poll(() => linesOf(path).catch(() => []), { timeout: 10_000 }).toEqual(['kept', 'new']);
  await file.close();
  return linesOf(path);
};

describe('a log file', () => {
  test('has mode 0640 whatever the umask', async () => {
    const before = process.umask(0o077);
    const path = join(await temporaryFolder(), 'app.log');
    try {
      await (await openLogFile(path, { onProblem: fail })).close();
    } finally {
      process.umask(before);
    }
    expect((await stat(path)).mode & 0o777).toBe(0o640);
  });

  test('loses no line and tears none while it is renamed again and again under two writers', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'access.log');
    const openWriter = async (name: string) => ({ name, file: await openLogFile(path, { onProblem: fail, flushAfterMs: 1 }) });
    const writers = await Promise.all(['a', 'b'].map(openWriter));
    const perRound = 400;
    const rounds = 25;
    for (let round = 0; round < rounds; round += 1) {
      for (let line = 0; line < perRound; line += 1) {
        for (const { name, file } of writers) file.write(`${name} ${round * perRound + line} ${'x'.repeat(line % 300)}\n`);
      }
      await rename(path, `${path}-${round}`);
      await Promise.all(writers.map(({ file }) => file.followPath()));
    }
    await Promise.all(writers.map(({ file }) => file.close()));
    const files = [path, ...Array.from({ length: rounds }, (_, round) => `${path}-${round}`)];
    const lines = (await Promise.all(files.map(linesOf))).flat();
    for (const { name } of writers) {
      const numbers = lines.filter((line) => line.startsWith(`${name} `)).map((line) => Number(line.split(' ')[1]));
      expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: rounds * perRound }, (_, index) => index));
    }
    expect((await stat(path)).mode & 0o777).toBe(0o640);
  });

  test('holds whole lines, whatever their length, when several processes write it at the same time', async () => {
    const path = join(await temporaryFolder(), 'access.log');
    const letters = ['a', 'b', 'c'];
    const writer = new URL('write-lines.ts', import.meta.url).pathname;
    const runs = letters.map((letter) => runCommand({ file: process.execPath, args: [writer, path, letter] }, { timeoutMs: 30_000 }));
    await Promise.all(runs);
    const lines = await linesOf(path);
    expect(lines.filter((line) => !/^([abc])\1*$/.test(line))).toEqual([]);
    const lengths = letters.map((letter) => lines.filter((line) => line.startsWith(letter)).map((line) => line.length));
    expect(lengths).toEqual(letters.map(() => lineLengths));
  });

  test('takes what could not be written once it can be, and ends at once while it cannot', async () => {
    // Many, so that some meet a write that is under way and fails after the path is followed.
    const recovered = await Promise.all(Array.from({ length: 40 }, linesAfterFullDisk));
    expect(new Set(recovered.map((lines) => lines.join()))).toEqual(new Set(['kept,new']));
  });

  test('the control: copying and truncating under a writer loses lines, so the test above can fail', async () => {
    const path = join(await temporaryFolder(), 'access.log');
    const file = await openLogFile(path, { onProblem: fail, flushAfterMs: 1 });
    file.write('kept\n');
    file.flushSync();
    const copy = await readFile(path);
    await appendFile(path, 'written between copy and truncation\n');
    await writeFile(`${path}-0`, copy);
    await writeFile(path, '');
    await file.close();
    expect([...(await linesOf(`${path}-0`)), ...(await linesOf(path))]).toEqual(['kept']);
  });

  test('counts every line it gives up, also where several came in one piece', async () => {
    const file = await openLogFile('/dev/full', { onProblem: () => {} });
    const piece = Buffer.from(`${'x'.repeat(4_999)}\n`.repeat(100));
    for (let index = 0; index < 30; index += 1) file.write(piece);
    // 8 MiB hold 16 pieces of 500,000 bytes.
    expect(file.dropped()).toBe(1_400);
  });

  test('goes on with the open file when the path cannot be opened again, and says so', async () => {
    const folder = join(await temporaryFolder(), 'logs');
    await mkdir(folder);
    const problems: string[] = [];
    const file = await openLogFile(join(folder, 'app.log'), { onProblem: (problem) => problems.push(problem) });
    await rename(folder, `${folder}-away`);
    await file.followPath();
    file.write('still here\n');
    await file.close();
    expect(await linesOf(join(`${folder}-away`, 'app.log'))).toEqual(['still here']);
    expect(problems).toHaveLength(1);
  });

  test('names another inode only once nothing more goes to the one before', async () => {
    const path = join(await temporaryFolder(), 'access.log');
    const file = await openLogFile(path, { onProblem: fail, flushAfterMs: 1 });
    for (let round = 0; round < 20; round += 1) {
      const before = file.inode();
      expect(before).toBe((await stat(path)).ino);
      const archive = `${path}-${round}`;
      await rename(path, archive);
      for (let line = 0; line < 200; line += 1) file.write(`${'x'.repeat(line)}\n`);
      await file.followPath();
      await expect.poll(file.inode, { interval: 1 }).not.toBe(before);
      const { size } = await stat(archive);
      file.write('after\n');
      file.flushSync();
      expect((await stat(archive)).size).toBe(size);
    }
    await file.close();
  });

  test('drops and counts lines when nobody can take them, instead of growing without end', async () => {
    const file = await openLogFile('/dev/full', { onProblem: () => {} });
    const line = `${'x'.repeat(10_000)}\n`;
    for (let index = 0; index < 2_000; index += 1) file.write(line);
    expect(file.dropped()).toBeGreaterThan(1_000);
  });
});

const openLogs = async (format: 'json' | 'text', level: 'info' | 'warn' = 'info', folder?: string) => {
  folder ??= await temporaryFolder();
  const stdout = openSync(join(folder, 'stdout'), 'a');
  const settings = { LOG_LEVEL: level, LOG_FORMAT: format, LOG_DIR: join(folder, 'logs') } as const;
  const logs = await openApiLogs({ settings, worker: 2, stdout, followEveryMs: 10 });
  const read = (name: string): Promise<string[]> => linesOf(join(folder, name));
  const close = async (): Promise<void> => {
    await logs.close();
    closeSync(stdout);
  };
  return { logs, read, close };
};

const notesIn = async (folder: string): Promise<WriterNote[]> => {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json'));
  return Promise.all(names.map(async (name) => JSON.parse(await readFile(join(folder, name), 'utf8')) as WriterNote));
};

const idOf = (line: string): unknown => (JSON.parse(line) as { request_id: string }).request_id;

const openBelowProc = () => openApiLogs({ settings: { LOG_LEVEL: 'info', LOG_FORMAT: 'json', LOG_DIR: '/proc/nothing' }, worker: 0 });

describe('the logs of a process', () => {
  test.each(['json', 'text'] as const)('put errors into error.log too, and everything on standard output, as %s', async (format) => {
    const { logs, read, close } = await openLogs(format);
    logs.logger.info({ password: 'hunter2' }, 'started');
    logs.logger.error({ request_id: 'r-9', err: new Error('password=hunter2') }, 'failed');
    logs.logger.info('ERROR and "level":"error" in a message are no error');
    logs.access(entry);
    await close();
    const [app, error, access, stdout] = [
      await read('logs/app.log'),
      await read('logs/error.log'),
      await read('logs/access.log'),
      await read('stdout'),
    ];
    expect(app).toHaveLength(3);
    expect(error).toEqual([app[1]]);
    expect(access).toHaveLength(1);
    expect(stdout.toSorted()).toEqual([...app, ...access].toSorted());
    expect(stdout.join('\n')).not.toContain('hunter2');
    expect(error[0]).toContain('r-9');
  });

  test('lose no access line that still waits for others, neither at a sudden end nor when they are closed', async () => {
    const { logs, read, close } = await openLogs('json');
    for (const requestId of ['r-1', 'r-2']) logs.access({ ...entry, requestId });
    logs.flushSync();
    expect((await read('logs/access.log')).map(idOf)).toEqual(['r-1', 'r-2']);
    expect((await read('stdout')).map(idOf)).toEqual(['r-1', 'r-2']);
    logs.access({ ...entry, requestId: 'r-3' });
    await close();
    expect((await read('logs/access.log')).map(idOf)).toEqual(['r-1', 'r-2', 'r-3']);
  });

  test('write an access line also when no other follows it', async () => {
    const { logs, read, close } = await openLogs('json');
    logs.access(entry);
    await expect.poll(() => read('logs/access.log'), { interval: 5 }).toHaveLength(1);
    await close();
  });

  test('keep access.log complete when the level hides it from standard output', async () => {
    const { logs, read, close } = await openLogs('json', 'warn');
    logs.access(entry);
    await close();
    expect(await read('stdout')).toEqual([]);
    expect(await read('logs/access.log')).toHaveLength(1);
  });

  test('say beside them which files the process writes, anew after a rotation, and no more once it has ended', async () => {
    const folder = await temporaryFolder();
    const { logs, close } = await openLogs('json', 'info', folder);
    const [dir, path] = [join(folder, 'logs/.writers'), join(folder, 'logs/access.log')];
    const names = ['access.log', 'app.log', 'error.log', 'security.log'];
    const [note] = await notesIn(dir);
    expect(note).toMatchObject({ program: 'api', worker: 2, pid: process.pid });
    expect(Object.keys(note?.files ?? {}).toSorted()).toEqual(names);
    expect(note?.files['access.log']).toBe((await stat(path)).ino);

    await rename(path, `${path}-1`);
    const renamed = (await stat(`${path}-1`)).ino;
    await expect.poll(async () => (await notesIn(dir))[0]?.files['access.log'], { interval: 5 }).not.toBe(renamed);
    expect((await notesIn(dir))[0]?.files).toEqual({ ...note?.files, 'access.log': (await stat(path)).ino });
    logs.access(entry);
    await close();
    expect(await notesIn(dir)).toEqual([]);
    expect([await linesOf(path), await linesOf(`${path}-1`)].map((lines) => lines.length)).toEqual([1, 0]);
  });

  test('say so over what they said before where no file can be made, as on a full disk', async () => {
    const folder = await temporaryFolder();
    const { close } = await openLogs('json', 'info', folder);
    const [dir, path] = [join(folder, 'logs/.writers'), join(folder, 'logs/access.log')];
    const [name] = await readdir(dir);
    await mkdir(join(dir, `${name}.part`));
    const renamed = (await stat(path)).ino;
    await rename(path, `${path}-1`);
    await expect.poll(async () => (await notesIn(dir))[0]?.files['access.log'], { interval: 5 }).not.toBe(renamed);
    expect((await notesIn(dir))[0]?.files['access.log']).toBe((await stat(path)).ino);
    await close();
  });

  test('clear away the notes of processes that died long ago, and of no others', async () => {
    const folder = await temporaryFolder();
    const dir = join(folder, 'logs/.writers');
    await mkdir(dir, { recursive: true });
    const old = new Date(Date.now() - 3_600_000);
    for (const name of ['dead.json', 'alive.json']) await writeFile(join(dir, name), '{}');
    await utimes(join(dir, 'dead.json'), old, old);
    const { close } = await openLogs('json', 'info', folder);
    expect((await readdir(dir)).filter((name) => name === 'dead.json' || name === 'alive.json')).toEqual(['alive.json']);
    await close();
  });

  test('that cannot be opened are a problem of the settings', async () => {
    await expect(openBelowProc()).rejects.toThrow(ConfigError);
    await expect(openBelowProc()).rejects.toThrow('LOG_DIR=/proc/nothing');
  });
});

describe('an access line', () => {
  test('is JSON whatever the path holds', () => {
    const path = '/a"b\\c\u2028/é%22';
    const line = JSON.parse(accessLine('json', 3)({ ...entry, path, route: undefined, principal: undefined })) as Record<string, unknown>;
    expect(line).toMatchObject({
      level: 'info',
      program: 'api',
      worker: 3,
      msg: 'request',
      request_id: 'r-1',
      trace_id: entry.traceId,
      span_id: entry.spanId,
      path,
      status: 200,
      bytes: 162,
    });
    expect(line).not.toHaveProperty('route');
    expect(line).not.toHaveProperty('principal');
  });

  test('is one line of text', () => {
    expect(accessLine('text', 3)(entry)).toMatch(
      /^\S+Z INFO  api request request_id=r-1 trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7 method=GET path="\/api\/v1\/products\/1" status=200 duration_ms=1\.23 bytes=162 ip=192\.0\.2\.1 principal=client:7 worker=3\n$/,
    );
  });
});
