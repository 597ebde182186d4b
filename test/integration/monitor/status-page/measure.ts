import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { asOperator } from '#test/support/operator.ts';

/**
 * How long the pages take over 400 days of 12 targets and 3,000 incidents, served by a process of their own with the flags of V8 of
 * production: `npm run monitor:page [-- REQUESTS]`. `changed` are requests
 * of which each finds something new, so that nothing made before serves; `busy` come one after the other, as fast as answers do.
 */
const requests = Number(process.argv[2] ?? 300);
const changes = 8;
const paths = [
  '/',
  '/history',
  '/api/status',
  '/api/history',
  '/feed.atom',
  '/badge/uptime/target-1.svg',
  '/incidents',
  '/incidents?target=target-3',
  '/targets/target-3',
  '/api/latency/target-3',
];
const guarded = [
  '/operator',
  '/operator/targets/target-3',
  '/operator/targets/target-3?range=90d',
  '/api/operator/latency/target-3',
  '/api/operator/status',
  '/operator/incidents?kind=down',
  '/operator/incidents/target-1-1500',
  '/metrics',
];

// What the daemon's door tells V8.
const flags = [...readFileSync('monitor/main.mjs', 'utf8').matchAll(/'(--[\w=-]+)'/g)].map(([, flag = '']) => flag);
if (flags.length < 5) throw new Error('monitor/main.mjs shows no flags of V8');
const server = fork(join(import.meta.dirname, 'serve-seeded.ts'), { execArgv: flags });
const [url] = (await once(server, 'message')) as [string];
let isDown = false;

async function timeOf(path: string): Promise<number> {
  const startedMs = performance.now();
  const response = await fetch(url + path, { headers: asOperator });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`${path} is answered ${response.status}`);
  return performance.now() - startedMs;
}

const percentile = (times: readonly number[], share: number): string =>
  (times.toSorted((a, b) => a - b)[Math.ceil(times.length * share) - 1] ?? Number.NaN).toFixed(1).padStart(7);

process.stdout.write(`${'ms'.padEnd(36)} changed: p50     max    busy: p50     p95     max\n`);
for (const path of [...paths, ...guarded]) {
  await timeOf(path);
  const [changed, busy]: [number[], number[]] = [[], []];
  for (let change = 0; change < changes; change += 1) {
    isDown = !isDown;
    server.send(isDown ? ['down'] : []);
    // What everybody sees is taken anew after a second.
    await sleep(1_010);
    changed.push(await timeOf(path));
  }
  for (let request = 0; request < requests; request += 1) busy.push(await timeOf(path));
  const [cold, warm] = [[0.5, 1].map((share) => percentile(changed, share)), [0.5, 0.95, 1].map((share) => percentile(busy, share))];
  process.stdout.write(`${path.padEnd(40)} ${cold.join(' ')}      ${warm.join(' ')}\n`);
}
server.disconnect();
await once(server, 'exit');
