import { expect } from 'vitest';
import { call } from '#test/support/api-process.ts';
import { asLoadtest, test } from './running-api.ts';
import { untilTold, workersOf } from './worker-processes.ts';

const imported = (source: string): string => `--import=data:text/javascript,${encodeURIComponent(`import v8 from 'node:v8'; ${source}`)}`;

/** Has V8 tell, after each collection of young objects, what of those made at one place it made of that: young or old from now on. */
const tellingPlaces = imported("v8.setFlagsFromString('--trace-pretenuring-statistics');");

/** Has V8 collect everything five times a second, and tell each time to how much of what is left the heap may grow. */
const tellingGrowth = imported(
  "import vm from 'node:vm'; for (const flag of ['--trace-gc-verbose', '--expose-gc']) v8.setFlagsFromString(flag); setInterval(vm.runInNewContext('gc'), 200).unref();",
);

const atOnce = 100;
const rounds = 30;

test('a worker makes no object old before its time: of many requests that waited, none is kept by one', async ({ start }) => {
  const api = await start({ API_WORKERS: '1', NODE_OPTIONS: tellingPlaces });
  await untilTold(api, 1);
  const [worker] = workersOf(api);
  const startedAt = api.stdout().length;
  for (let round = 0; round < rounds; round += 1)
    await Promise.all(Array.from({ length: atOnce }, () => call(`${api.url}/products?limit=1`, { headers: asLoadtest })));
  const told = api.stdout().slice(startedAt).split('\n');
  expect(told.filter((line) => line.startsWith(`[${worker}:`))).toEqual([]);
});

test('nor does a worker at rest make room for much more of them than it has', async ({ start }) => {
  const api = await start({ API_WORKERS: '1', NODE_OPTIONS: tellingGrowth });
  await untilTold(api, 1);
  const [worker] = workersOf(api);
  const startedAt = api.stdout().length;
  const factors = (): number[] =>
    [
      ...api
        .stdout()
        .slice(startedAt)
        .matchAll(/^\[(\d+):.*\[HeapController\] factor (\S+) /gm),
    ]
      .filter(([, pid]) => Number(pid) === worker)
      .map(([, , factor]) => Number(factor));
  await expect.poll(() => factors().length, { timeout: 10_000 }).toBeGreaterThan(5);
  expect(Math.max(...factors())).toBe(1.8);
});
