// Rotation as a whole, from the renaming to the verified archive, with the one folder and writers that all of it shares; so it is long.

import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createLogger } from '#lib/logger.ts';
import { createRandom } from '#loadtest/generate/random.ts';
import { diskLogFiles, type LogFiles } from '#monitor/logs/log-files.ts';
import { createRotation, type Rotation } from '#monitor/logs/rotation.ts';
import { openDatabase } from '#monitor/store/database.ts';
import { createStore } from '#monitor/store/open-store.ts';
import type { MonitorStore } from '#monitor/store/store.ts';
import { playFullDisk } from '#test/rotation/full-disk.ts';
import { playKilled } from '#test/rotation/killed.ts';
import { playAtOnce, playCopyTruncate, playOurs } from '#test/rotation/ways.ts';
import { startWriter, untilWriting } from '#test/rotation/writers.ts';
import { mountTmpfs } from '#test/support/mount-tmpfs.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';

const timeout = 90_000;
const dayMs = 86_400_000;
const logger = createLogger('test', { LOG_LEVEL: 'silent', LOG_FORMAT: 'json' });
const never = new AbortController().signal;

type World = {
  readonly dir: string;
  readonly path: (name: string) => string;
  readonly store: MonitorStore;
  /** Days later than now. */
  days: number;
  readonly start: (files?: LogFiles) => Rotation;
};

/** A folder with one log file, the real store, and days that pass when they are told to. */
async function createWorld(keep = 14): Promise<World> {
  const dir = await temporaryFolder();
  const store = createStore(openDatabase(':memory:'));
  onTestFinished(() => store.close());
  const world: World = {
    dir,
    path: (name) => join(dir, name),
    store,
    days: 0,
    start: (files = diskLogFiles) =>
      createRotation(
        { name: 'logs', dir, files: ['access.log'], time: { hour: 0, minute: 0 }, keep },
        {
          files,
          jobRuns: store.jobRuns,
          clock: () => ({ at: Date.now() + world.days * dayMs, clockMs: performance.now() + world.days * dayMs }),
          logger,
        },
      ),
  };
  return world;
}

const namesIn = ({ dir }: World): string[] =>
  readdirSync(dir)
    .filter((name) => name.startsWith('access.log'))
    .toSorted();

/** All lines of the log and its archives, however they are kept. */
function linesIn(world: World): string[] {
  return namesIn(world).flatMap((name) => {
    const content = readFileSync(world.path(name));
    return (name.endsWith('.gz') ? gunzipSync(content) : content).toString('utf8').split('\n').slice(0, -1);
  });
}

/** Rotations so many that each step is killed at once. */
const aRound = 24;
const campaign = (rotations: number) => ({ rotations, linesPerSecond: 30_000, random: createRandom(1, 0), onRotated: () => {} });
const nothingMissing = { lost: 0, dropped: 0, twice: 0, torn: 0, halves: 0, doubleNames: 0, faults: [] };

describe('under the API’s own writers, three processes with 30,000 lines a second', { timeout }, () => {
  test('the rotation loses no line, tears none and has none twice, and compresses what it renamed', async () => {
    const outcome = await playOurs(campaign(40));
    expect(outcome).toMatchObject({ ...nothingMissing, rotations: 40 });
    expect(outcome.compressed).toBeGreaterThanOrEqual(39);
  });

  test('nor does it when it is killed by SIGKILL at each of its steps', async () => {
    const outcome = await playKilled(campaign(aRound));
    expect(outcome).toMatchObject({ ...nothingMissing, remark: expect.stringMatching(/^(?:1\d|2\d) kills$/) });
  });

  test('nor on a disk that is full now and again: each line stands there whole once there is room, and what could not be done is done', async ({
    skip,
  }) => {
    if (!mountTmpfs(await temporaryFolder(), 'size=64k')) skip('a small file system takes root to mount');
    const { torn, ...outcome } = await playFullDisk({ ...campaign(12), random: createRandom(3, 0) });
    expect(outcome).toMatchObject({ lost: 0, dropped: 0, twice: 0, halves: 0, doubleNames: 0, faults: [] });
    expect(torn).toBeLessThan(30);
  });

  test('copying and truncating loses lines, as does compressing at once what was renamed', async () => {
    expect((await playCopyTruncate(campaign(20))).lost).toBeGreaterThan(0);
    expect((await playAtOnce(campaign(20))).lost).toBeGreaterThan(0);
  });

  test('archives have mode 0640, and all but the newest are compressed', async () => {
    const world = await createWorld(1_000);
    const writer = startWriter(world.dir, 1);
    onTestFinished(() => void writer.child.kill('SIGKILL'));
    await untilWriting(world.dir, 1);
    const rotation = world.start();
    for (let round = 0; round < 5; round += 1) {
      world.days += 1;
      await rotation.run(never);
      await expect.poll(() => statSync(world.path('access.log'), { throwIfNoEntry: false })?.size ?? 0).toBeGreaterThan(0);
    }
    await writer.finish();
    await rotation.run(never);
    const names = namesIn(world);
    expect(names.filter((name) => name !== 'access.log' && !name.endsWith('.gz'))).toHaveLength(1);
    for (const name of names) expect(statSync(world.path(name)).mode & 0o777).toBe(0o640);
  });

  test('one that is killed keeps nothing from being compressed once its note no longer counts', async () => {
    const world = await createWorld();
    const writer = startWriter(world.dir, 1);
    await untilWriting(world.dir, 1);
    writer.child.kill('SIGKILL');
    await once(writer.child, 'close');
    const rotation = world.start();
    for (let day = 0; day < 2; day += 1) {
      world.days += 1;
      writeFileSync(world.path('access.log'), 'later\n', { flag: 'a', mode: 0o640 });
      await rotation.run(never);
    }
    expect(namesIn(world).filter((name) => name.endsWith('.gz'))).toHaveLength(1);
  });
});

/** A note as a writer leaves it. */
function writeNote(world: World, at: number, inode: number): void {
  mkdirSync(world.path('.writers'), { recursive: true });
  const note = { program: 'api', worker: 2, pid: 41, at: new Date(at).toISOString(), leaseMs: 30_000, files: { 'access.log': inode } };
  writeFileSync(world.path('.writers/a.json'), JSON.stringify(note));
}

describe('a writer that does not go over to the new file', { timeout }, () => {
  test('is told by name after a minute, and what it writes to is neither compressed nor removed until it has', async () => {
    const world = await createWorld(2);
    const clock = () => ({ at: Date.now() + world.days * dayMs, clockMs: world.days * dayMs });
    const logs = { name: 'logs', dir: world.dir, files: ['access.log'], time: { hour: 0, minute: 0 }, keep: 2 };
    const rotation = createRotation(logs, { files: diskLogFiles, jobRuns: world.store.jobRuns, clock, logger });
    writeFileSync(world.path('access.log'), 'one\n', { mode: 0o640 });
    const held = statSync(world.path('access.log')).ino;
    for (let day = 0; day < 3; day += 1) {
      writeNote(world, clock().at, held);
      await rotation.run(never);
      writeFileSync(world.path('access.log'), `day ${day}\n`, { flag: 'a', mode: 0o640 });
      world.days += 1;
    }
    writeNote(world, clock().at, held);
    await rotation.run(never);
    expect(await rotation.probe(never)).toMatchObject({
      outcome: 'failed',
      detail: expect.stringMatching(/^api worker 2 \(process 41\) still writes to access\.log-\d{8}: it stays as it is$/),
    });
    const holding = namesIn(world).find((name) => statSync(world.path(name)).ino === held);
    expect(holding).toMatch(/^access\.log-\d{8}$/);
    writeFileSync(world.path('access.log'), 'gone over\n', { flag: 'a', mode: 0o640 });
    writeNote(world, clock().at, statSync(world.path('access.log')).ino);
    await rotation.run(never);
    await rotation.run(never);
    expect(await rotation.probe(never)).toMatchObject({ outcome: 'ok' });
    expect(namesIn(world)).not.toContain(holding);
  });

  test('whose note nobody understands keeps everything as it is, and is told', async () => {
    const world = await createWorld();
    for (const name of ['access.log-20261101', 'access.log-20261102']) writeFileSync(world.path(name), `${name}\n`, { mode: 0o640 });
    mkdirSync(world.path('.writers'));
    writeFileSync(world.path('.writers/b.json'), '{"half":');
    const rotation = world.start();
    await rotation.run(never);
    expect(namesIn(world)).toEqual(['access.log-20261101', 'access.log-20261102']);
    expect(await rotation.probe(never)).toMatchObject({
      outcome: 'failed',
      detail: expect.stringContaining('b.json cannot be understood'),
    });
  });
});

const die = (): never => {
  throw new Error('killed');
};

/** The disk, which is gone from its n-th call on, before it or in the middle of it, as for a monitor that is killed. */
function dyingDisk(after: number): { readonly files: LogFiles; readonly calls: () => number } {
  let calls = 0;
  const guard = <A extends readonly unknown[], R>(work: (...args: A) => Promise<R>) => {
    return async (...args: A): Promise<R> => {
      calls += 1;
      if (calls > after) die();
      return work(...args);
    };
  };
  const { list, rename, remove, compress, digest, syncFolder } = diskLogFiles;
  const files = {
    list: guard(list),
    rename: guard(rename),
    remove: guard(remove),
    digest: guard(digest),
    syncFolder: guard(syncFolder),
    compress: guard(async (path, signal) => {
      // The call at which it dies has written half of its file.
      if (calls === after) writeFileSync(`${path}.gz.part`, 'half');
      return calls === after ? die() : compress(path, signal);
    }),
  } satisfies LogFiles;
  return { files, calls: () => calls };
}

/** A day with something to rename, something to compress, something half done and something to remove. */
function prepare(world: World): void {
  for (const day of ['01', '02', '03', '04']) writeFileSync(world.path(`access.log-202511${day}`), `line of ${day}\n`, { mode: 0o640 });
  writeFileSync(world.path('access.log'), 'line of today\n', { mode: 0o640 });
}

describe('a monitor that is killed at any moment of a rotation', { timeout }, () => {
  test('leaves no line lost or doubled once the next has run, and the same files as one that was not', async () => {
    const whole = await createWorld(4);
    prepare(whole);
    const disk = dyingDisk(Infinity);
    await whole.start(disk.files).run(never);
    const expected = linesIn(whole).toSorted();
    expect(expected).toEqual(['line of 02', 'line of 03', 'line of 04', 'line of today']);
    const shape = namesIn(whole).map((name) => name.replace(/-2026\d+/, '-today'));
    expect(disk.calls()).toBeGreaterThan(20);
    for (let point = 0; point < disk.calls(); point += 1) {
      const world = await createWorld(4);
      prepare(world);
      await world.start(dyingDisk(point).files).run(never);
      const between = new Set(linesIn(world));
      for (const line of expected) expect(between, `at call ${point}`).toContain(line);
      // An attempt that failed is made again after a quarter of an hour.
      world.days += 1 / 48;
      const next = world.start();
      await next.run(never);
      await next.run(never);
      expect(linesIn(world).toSorted(), `at call ${point}`).toEqual(expected);
      expect(
        namesIn(world).map((name) => name.replace(/-2026\d+/, '-today')),
        `at call ${point}`,
      ).toEqual(shape);
    }
  });

  test('and finds a compressed file that does not hold what it should makes it anew', async () => {
    const world = await createWorld();
    prepare(world);
    writeFileSync(world.path('access.log-20251101.gz'), 'no gzip at all');
    await world.start().run(never);
    expect(linesIn(world)).toContain('line of 01');
  });
});

test('an empty file stays, a missing folder is no trouble, and each day is rotated once', { timeout }, async () => {
  const world = await createWorld();
  const rotation = world.start();
  await rotation.run(never);
  writeFileSync(world.path('access.log'), '');
  world.days += 1;
  await rotation.run(never);
  expect(namesIn(world)).toEqual(['access.log']);
  world.days += 1;
  writeFileSync(world.path('access.log'), 'one\n');
  await rotation.run(never);
  writeFileSync(world.path('access.log'), 'two\n');
  await rotation.run(never);
  expect(namesIn(world)).toHaveLength(2);
  renameSync(world.dir, `${world.dir}-gone`);
  onTestFinished(() => renameSync(`${world.dir}-gone`, world.dir));
  world.days += 1;
  await rotation.run(never);
  expect((await rotation.probe(never)).outcome).toBe('ok');
});
