import { openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { openApiLogs } from '#api/logs/api-logs.ts';

/**
 * A worker of the API as far as its logs go: it writes numbered access lines to LOG_DIR as fast as it may, until its standard
 * input closes, and then says how many. `LOG_FOLLOW_MS`: how often it looks at its paths.
 */
const { LOG_DIR = '', WRITER = '0', LOG_FOLLOW_MS = '20' } = process.env;
const logs = await openApiLogs({
  settings: { LOG_DIR, LOG_LEVEL: 'info', LOG_FORMAT: 'json' },
  worker: Number(WRITER),
  stdout: openSync('/dev/null', 'w'),
  followEveryMs: Number(LOG_FOLLOW_MS),
});
const over = new AbortController();
process.stdin.on('end', () => over.abort()).resume();
let written = 0;
while (!over.signal.aborted) {
  for (let line = 0; line < 40; line += 1) {
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
