import { openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { openApiLogs } from '#api/logs/api-logs.ts';

/**
 * A worker of the API as far as its logs go: it writes numbered access lines to LOG_DIR until its standard input closes, and then
 * says how many, and how many of them it gave up. `LOG_RATE`: lines a second, made up for when it was late. `LOG_FOLLOW_MS`: how
 * often it looks at its paths.
 */
const { LOG_DIR = '', WRITER = '0', LOG_FOLLOW_MS = '20', LOG_RATE = '10000' } = process.env;
const logs = await openApiLogs({
  settings: { LOG_DIR, LOG_LEVEL: 'info', LOG_FORMAT: 'json' },
  worker: Number(WRITER),
  stdout: openSync('/dev/null', 'w'),
  followEveryMs: Number(LOG_FOLLOW_MS),
});
const over = new AbortController();
process.stdin.on('end', () => over.abort()).resume();
/** So many at once leave the loop free for what else a worker does. */
const mostAtOnce = 500;
const startedMs = performance.now();
let written = 0;
while (!over.signal.aborted) {
  const owed = Math.floor(((performance.now() - startedMs) * Number(LOG_RATE)) / 1_000) - written;
  for (let line = 0; line < Math.min(owed, mostAtOnce); line += 1) {
    logs.access({
      requestId: `${WRITER}-${written}`,
      traceId: undefined,
      spanId: undefined,
      method: 'GET',
      path: '/api/v1/products',
      route: '/api/v1/products',
      status: 200,
      durationMs: 1,
      bytes: 100,
      ip: '127.0.0.1',
      principal: undefined,
    });
    written += 1;
  }
  await sleep(2);
}
await logs.close();
process.stdout.write(`${written} ${logs.dropped()}\n`);
