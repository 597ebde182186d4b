import { setTimeout as sleep } from 'node:timers/promises';
import { createLogger } from '#lib/logger.ts';
import { diskLogFiles, type LogFiles } from '#monitor/logs/log-files.ts';
import { createRotation } from '#monitor/logs/rotation.ts';
import { openDatabase } from '#monitor/store/database.ts';
import { createStore } from '#monitor/store/open-store.ts';

/**
 * One life of a monitor as far as logs go: a day after the life before, over the same store, it rotates access.log of LOG_DIR once,
 * and says how many calls to the disk that took. `KILL_AT`: at which of them it is killed; `KILL_AFTER_MS`: so long after its begin.
 */
const { LOG_DIR = '', STORE = '', KILL_AT = '0', KILL_AFTER_MS = '0' } = process.env;
let calls = 0;

function mortal<A extends readonly unknown[], R>(work: (...args: A) => Promise<R>): (...args: A) => Promise<R> {
  return async (...args) => {
    calls += 1;
    if (calls !== Number(KILL_AT)) return work(...args);
    const begun = Number(KILL_AFTER_MS) > 0 ? work(...args) : undefined;
    await sleep(Number(KILL_AFTER_MS));
    process.kill(process.pid, 'SIGKILL');
    return begun ?? new Promise<never>(() => {});
  };
}

const { list, rename, remove, compress, digest, syncFolder } = diskLogFiles;
const files: LogFiles = {
  list: mortal(list),
  rename: mortal(rename),
  remove: mortal(remove),
  compress: mortal(compress),
  digest: mortal(digest),
  syncFolder: mortal(syncFolder),
};
const database = openDatabase(STORE);
database.exec('UPDATE job_runs SET started_at = started_at - 86400000');
const store = createStore(database);
const logs = { name: 'logs', dir: LOG_DIR, files: ['access.log'], time: { hour: 0, minute: 0 }, keep: 100_000 };
const rotation = createRotation(logs, {
  files,
  jobRuns: store.jobRuns,
  clock: () => ({ at: Date.now(), clockMs: performance.now() }),
  logger: createLogger('rotator', { LOG_LEVEL: 'error', LOG_FORMAT: 'json' }),
});
await rotation.run(new AbortController().signal);
store.close();
process.stdout.write(`${calls}\n`);
