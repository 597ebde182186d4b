import { readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { call } from '#test/support/api-process.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';
import { test } from '../processes/running-api.ts';
import { asAdmin, workersOf } from '../processes/worker-processes.ts';

type Writer = { readonly worker: number; readonly pid: number; readonly inodes: Readonly<Record<string, number>> };
type Reopened = { readonly status: number; readonly writers: readonly Writer[]; readonly silent: readonly number[] };

const names = ['access.log', 'app.log', 'error.log', 'security.log'];

test('POST /logs/reopen: every process goes over to new files, says which, and not one line goes to the old ones after that', async ({
  start,
}) => {
  const folder = await temporaryFolder();
  const api = await start({ LOG_DIR: folder, RATE_LIMIT_ENABLED: 'false' });
  const reopen = async (): Promise<Reopened> => {
    const { status, body } = await call(`${api.adminUrl}/logs/reopen`, { method: 'POST', headers: asAdmin });
    return { status, ...(body as unknown as Omit<Reopened, 'status'>) };
  };
  let asked = 0;
  const over = new AbortController();
  const asking = Promise.all(
    [1, 2, 3, 4].map(async () => {
      for (; !over.signal.aborted; asked += 1) await call(`${api.url}/products`);
    }),
  );
  for (let round = 1; round <= 5; round += 1) {
    for (const name of names) await rename(join(folder, name), join(folder, `${name}-${round}`));
    const { status, writers, silent } = await reopen();
    expect([status, silent]).toEqual([200, []]);
    expect(writers.map(({ worker }) => worker)).toEqual([0, 1, 2]);
    expect(writers.map(({ pid }) => pid).toSorted((a, b) => a - b)).toEqual(
      [api.child.pid as number, ...workersOf(api)].toSorted((a, b) => a - b),
    );
    const inodes = Object.fromEntries(await Promise.all(names.map(async (name) => [name, (await stat(join(folder, name))).ino] as const)));
    for (const writer of writers) expect(writer.inodes).toEqual(inodes);
    const closed = await Promise.all(names.map((name) => readFile(join(folder, `${name}-${round}`))));
    await call(`${api.url}/products`);
    asked += 1;
    expect(await Promise.all(names.map((name) => readFile(join(folder, `${name}-${round}`))))).toEqual(closed);
  }
  over.abort();
  await asking;

  const [, { pid: frozen, worker } = { pid: 0, worker: 0 }] = (await reopen()).writers;
  process.kill(frozen, 'SIGSTOP');
  const partly = await reopen();
  process.kill(frozen, 'SIGCONT');
  expect(partly, 'whoever rotates must not take the files for closed').toMatchObject({ status: 503, silent: [worker] });
  expect(partly.writers).toHaveLength(2);

  expect(await api.stop()).toBe(0);
  const files = ['access.log', ...[1, 2, 3, 4, 5].map((round) => `access.log-${round}`)];
  const lines = (await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')))).join('').trim().split('\n');
  expect(lines.length).toBe(asked);
});
