import { expect } from 'vitest';
import { call } from '#test/support/api-process.ts';
import { asLoadtest, test } from './running-api.ts';
import { untilTold, workersOf } from './worker-processes.ts';

/** Has V8 tell, after each collection of young objects, what of those made at one place it made of that: young or old from now on. */
const tellingPlaces = `data:text/javascript,${encodeURIComponent("import v8 from 'node:v8'; v8.setFlagsFromString('--trace-pretenuring-statistics');")}`;

const atOnce = 100;
const rounds = 30;

test('a worker makes no object old before its time: of many requests that waited, none is kept by one', async ({ start }) => {
  const api = await start({ API_WORKERS: '1', NODE_OPTIONS: `--import=${tellingPlaces}` });
  await untilTold(api, 1);
  const [worker] = workersOf(api);
  const startedAt = api.stdout().length;
  for (let round = 0; round < rounds; round += 1)
    await Promise.all(Array.from({ length: atOnce }, () => call(`${api.url}/products?limit=1`, { headers: asLoadtest })));
  const told = api.stdout().slice(startedAt).split('\n');
  expect(told.filter((line) => line.startsWith(`[${worker}:`))).toEqual([]);
});
