import { resolve } from 'node:path';
import { becomeLean, compileCacheDir } from './daemon/lean-process.ts';

// Everything else is imported only once this process is the one that stays.
const load = async () => ({
  ...(await import('#lib/command-line.ts')),
  ...(await import('#lib/local-stack.ts')),
  ...(await import('./daemon/run-daemon.ts')),
});

const dataDir = resolve(process.env['MONITOR_DATA_DIR'] || '.local/monitor');
await becomeLean({ cacheDir: compileCacheDir(dataDir), script: import.meta.filename, env: process.env }, load);

const { reportError, runDaemon, withLocalStack } = await load();
try {
  process.exitCode = await runDaemon(withLocalStack(process.env));
} catch (err) {
  process.exitCode = reportError(err);
}
// A mail server that hangs may hold a socket for seconds yet; whatever it says is tried again at the next start.
setTimeout(() => process.exit(), 500).unref();
