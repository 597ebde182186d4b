import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test as base } from 'vitest';
import { processTree, readProcesses } from '#lib/proc.ts';
import { mountTmpfs } from '#test/support/mount-tmpfs.ts';
import { isAlive } from '#test/support/processes.ts';
import { startFakeApi, type FakeApi } from './fake-api.ts';
import { key, startLoadtest } from './run-cli.ts';

type Door = Awaited<ReturnType<typeof startDoor>>;

const test = base.extend<{ shop: FakeApi; door: Door; dir: string }>({
  shop: async ({}, use) => {
    const shop = await startFakeApi();
    await use(shop);
    await shop.close();
  },
  door: async ({ shop }, use) => {
    const door = await startDoor(shop.origin);
    await use(door);
    door.die();
  },
  dir: async ({}, use) => {
    const dir = await mkdtemp(join(tmpdir(), 'atalaya-failure-'));
    await use(dir);
    await rm(dir, { recursive: true });
  },
});

/** An address of a service that can die and come back. */
async function startDoor(origin: string) {
  const behind = Number(new URL(origin).port);
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const further = connect(behind, '127.0.0.1');
    for (const [one, other] of [
      [socket, further],
      [further, socket],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy()).on('close', () => other.destroy());
      one.pipe(other);
    }
  });
  const open = async (port = 0): Promise<void> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  };
  await open();
  const { port } = server.address() as AddressInfo;
  const die = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  };
  return { origin: `http://127.0.0.1:${port}`, die, comeBack: () => open(port) };
}

const smoke = (origin: string, dir: string, duration: string): string[] => [
  'smoke',
  '--target',
  origin,
  '--users',
  '10',
  '--think',
  '50ms',
  '--duration',
  duration,
  '--out',
  dir,
];
const allFiles = ['junit.xml', 'measurement.jsonl', 'report.html', 'report.json', 'summary.md'];

const descendants = async (pid: number): Promise<number[]> => processTree(await readProcesses(), pid).map((one) => one.pid);

test.concurrent('a target that dies and comes back fails, with a report, and gets its accounts deleted', async ({ shop, door, dir }) => {
  const { ended } = startLoadtest(smoke(door.origin, dir, '4s'), key);
  await expect.poll(() => shop.requests.length, { timeout: 25_000 }).toBeGreaterThan(50);
  door.die();
  await sleep(1_000);
  await door.comeBack();
  const { status, stdout, stderr } = await ended;
  expect({ status, stderr }).toEqual({ status: 99, stderr: '' });
  expect(stdout).toMatch(/requests failed, allowed is < 1\.00 %; most often connection-error at /);
  expect(shop.accounts()).toBe(0);
  expect((await readdir(dir)).toSorted()).toEqual(allFiles);
});

test.concurrent('a target that dies for good fails too, and the report says what could not be undone', async ({ shop, door, dir }) => {
  const { ended } = startLoadtest(smoke(door.origin, dir, '2s'), key);
  await expect.poll(() => shop.requests.length, { timeout: 25_000 }).toBeGreaterThan(50);
  door.die();
  const { status, stdout, stderr } = await ended;
  expect({ status, stderr }).toEqual({ status: 99, stderr: '' });
  expect(stdout).toMatch(/left in the target: 10 accounts of name "Load" that could not be deleted/);
  expect((await readdir(dir)).toSorted()).toEqual(allFiles);
});

test.skipIf(process.platform !== 'linux')(
  'a disk that fills up ends it with one line, nothing left running and nothing left in the target',
  async ({ shop, skip }) => {
    const dir = await mkdtemp(join(tmpdir(), 'atalaya-full-'));
    onTestFinished(() => rm(dir, { recursive: true }));
    if (!mountTmpfs(dir, 'size=16k')) skip('this user may not mount');
    const { child, ended } = startLoadtest(smoke(shop.origin, dir, '60s'), key);
    await expect.poll(() => shop.requests.length, { timeout: 25_000 }).toBeGreaterThan(0);
    const pids = await descendants(child.pid ?? Number.NaN);
    expect(pids.length).toBeGreaterThan(1);
    const { status, stdout, stderr } = await ended;
    expect({ status, stdout }).toEqual({ status: 1, stdout: expect.stringMatching(/^in http:.* are made there and .*\n$/) as string });
    expect(stderr).toMatch(/^error: .*measurement\.jsonl cannot be written any more: ENOSPC: no space left on device.*\n$/);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(shop.accounts()).toBe(0);
  },
);

test.skipIf(process.platform !== 'linux').for(['SIGINT', 'SIGTERM', 'SIGKILL'] as const)(
  'after %s none of its processes runs on',
  async (signal, { shop, dir }) => {
    const { child, ended } = startLoadtest(
      [...smoke(shop.origin, dir, '60s').filter((arg) => !/think|50ms/.test(arg)), '--rate', '50'],
      key,
    );
    await expect.poll(() => shop.requests.length, { timeout: 25_000 }).toBeGreaterThan(20);
    const pids = await descendants(child.pid ?? Number.NaN);
    expect(pids.length).toBeGreaterThan(2);
    child.kill(signal);
    const { status, stderr } = await ended;
    expect(status).toBe(signal === 'SIGKILL' ? null : 1);
    expect(stderr).toMatch(signal === 'SIGKILL' ? /^$/ : /^canceled at smoke.*; nothing was judged\n$/);
    await expect.poll(() => pids.filter(isAlive), { timeout: 10_000 }).toEqual([]);
    expect(shop.accounts()).toBe(signal === 'SIGKILL' ? 10 : 0);
  },
);
