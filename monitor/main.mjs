// The daemon's door. JavaScript, since a process that strips types once keeps the
// compiler that does it in memory, 35 MB, for as long as it watches.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { enableCompileCache, flushCompileCache } from 'node:module';
import { join, resolve } from 'node:path';
import { setFlagsFromString } from 'node:v8';

const warming = 'ATALAYA_WARM_COMPILE_CACHE';

// A small heap for young objects, and no optimising compilers: a few looks a second need neither.
for (const flag of ['--max-semi-space-size=1', '--no-opt', '--no-maglev', '--no-sparkplug', '--semi-space-growth-factor=1'])
  setFlagsFromString(flag);

const dataDir = resolve(process.env['MONITOR_DATA_DIR'] || '.local/monitor');
const cacheDir = join(dataDir, 'compile-cache', String(newestChange()));
const isWarming = process.env[warming] === '1';
if (!isWarming) prepareCache();
enableCompileCache(cacheDir);
const { reportError } = await import('#lib/command-line.ts');
const { withLocalStack } = await import('#lib/local-stack.ts');
const { runDaemon } = await import('./daemon/run-daemon.ts');
if (isWarming) {
  flushCompileCache();
  process.exit();
}
try {
  process.exitCode = await runDaemon(withLocalStack(process.env));
} catch (err) {
  process.exitCode = reportError(err);
}
// A mail server that hangs may hold a socket for seconds yet; whatever it says is tried again at the next start.
setTimeout(() => process.exit(), 500).unref();

/** Compiled code of other sources is deleted; of these, where there is none, a process of its own makes it and ends. */
function prepareCache() {
  if (existsSync(cacheDir)) return;
  try {
    rmSync(join(dataDir, 'compile-cache'), { recursive: true, force: true });
    mkdirSync(cacheDir, { recursive: true, mode: 0o700 });
    spawnSync(process.execPath, [import.meta.filename], { env: { ...process.env, [warming]: '1' }, stdio: 'ignore', timeout: 30_000 });
  } catch {
    // The folder cannot be written; whoever needs it says so, and the monitor takes more memory until then.
  }
}

/** When a source was last changed, in ms: another version has another cache. */
function newestChange() {
  const folders = ['.', '../backups', '../lib'].map((folder) => join(import.meta.dirname, folder));
  const files = folders.flatMap((folder) => readdirSync(folder, { recursive: true }).map((name) => join(folder, name)));
  return Math.max(...files.filter((file) => file.endsWith('.ts')).map((file) => Math.round(statSync(file).mtimeMs)));
}
