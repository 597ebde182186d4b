// The door of `npm start`. JavaScript, since a process that strips types keeps the compiler that does it in memory, 20 MB, for as
// long as the stack runs: what was stripped once is loaded from Node's compile cache.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants, enableCompileCache, flushCompileCache } from 'node:module';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

// Of this process alone: the programs of the stack have theirs in its data folder.
const cache = join(import.meta.dirname, '../../node_modules/.cache/atalaya-start');
const isNew = !existsSync(cache);
if (enableCompileCache(cache).status === constants.compileCacheStatus.ENABLED && isNew) {
  // Another process fills it: it loads all, finds a setting wrong, and ends.
  const env = { ...process.env, LOCAL_POSTGRES_PORT: 'none' };
  spawnSync(process.execPath, [import.meta.filename], { env, stdio: 'ignore', timeout: 20_000 });
}

// It waits most of the time: a small heap for young objects, and what starting took is given back.
for (const flag of ['--semi-space-growth-factor=1', '--expose-gc']) setFlagsFromString(flag);
const collect = runInNewContext('gc');
setInterval(() => {
  collect();
  flushCompileCache();
}, 60_000).unref();

await import('./start.ts');
