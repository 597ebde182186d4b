import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { test } from '#test/integration/api/processes/running-api.ts';
import { accountFor } from '#test/rotation/account.ts';
import { alwaysDue, never, settled } from '#test/rotation/stage.ts';
import { call } from '#test/support/api-process.ts';
import { temporaryFolder } from '#test/support/temporary-folder.ts';

test('an API whose logs are rotated fails no request, and has a line of each, once', { timeout: 90_000 }, async ({ start }) => {
  const folder = await temporaryFolder();
  const api = await start({ LOG_DIR: folder, RATE_LIMIT_ENABLED: 'false' });
  const rotation = alwaysDue(folder);
  const over = new AbortController();
  const failed: number[] = [];
  let asked = 0;
  const ask = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const headers = { 'x-request-id': `1-${asked}` };
      asked += 1;
      const { status } = await call(`${api.url}/products`, { headers });
      if (status !== 200) failed.push(status);
    }
  };
  const asking = Promise.all([ask(), ask(), ask(), ask()]);
  while (rotation.renames() < 5) {
    await rotation.run(never);
    await sleep(50);
  }
  over.abort();
  await asking;
  expect(await api.stop()).toBe(0);
  expect(await settled(rotation)).toEqual([]);
  rotation.close();
  expect(failed).toEqual([]);
  expect(asked).toBeGreaterThan(100);
  const { compressed, ...account } = await accountFor(folder, [asked]);
  expect(account).toEqual({ lost: 0, twice: 0, torn: 0, halves: 0, doubleNames: 0 });
  expect(compressed).toBeGreaterThanOrEqual(4);
});
