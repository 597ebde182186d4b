// The daemon's door. JavaScript, since a process that strips types once keeps the compiler that does it in memory, 35 MB,
// for as long as it watches: another process strips them, and leaves files to be loaded.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { registerHooks, stripTypeScriptTypes } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const root = join(import.meta.dirname, '..');
const strippedDir = join(resolve(process.env['MONITOR_DATA_DIR'] || '.local/monitor'), 'stripped');
const asksToStrip = 'ATALAYA_STRIP_TYPES';
if (process.env[asksToStrip] === '1') {
  stripAll();
  process.exit();
}
let isOrdered = false;
registerHooks({ load: loadStripped });

// A small heap for young objects, and no optimising compilers: a few looks a second need neither.
for (const flag of ['--no-opt', '--no-maglev', '--no-sparkplug', '--semi-space-growth-factor=1', '--optimize-for-size', '--expose-gc'])
  setFlagsFromString(flag);
// By itself V8 would let the heap grow to twice what starting took; collecting for want of memory gives what starting left back as well.
const collect = runInNewContext('gc');
setInterval(() => collect({ type: 'major', execution: 'sync', flavor: 'last-resort' }), 60_000).unref();

const { reportError } = await import('#lib/command-line.ts');
const { withLocalStack } = await import('#lib/local-stack.ts');
const { useLightUtc } = await import('./daemon/light-utc.ts');
const { runDaemon } = await import('./daemon/run-daemon.ts');
useLightUtc();
try {
  process.exitCode = await runDaemon(withLocalStack(process.env));
} catch (err) {
  process.exitCode = reportError(err);
}
// A mail server that hangs may hold a socket for seconds yet; whatever it says is tried again at the next start.
setTimeout(() => process.exit(), 500).unref();

/** Loads the stripped file of a source; the first one that is missing has all of them made. */
function loadStripped(url, context, next) {
  // Messages in forty languages, of which nothing here asks for one.
  if (/\/zod\/v4\/locales\/(?!en\.|index\.)/.test(url))
    return { format: 'module', source: 'export default () => ({});', shortCircuit: true };
  if (!url.startsWith(import.meta.url.slice(0, -'monitor/main.mjs'.length)) || !url.endsWith('.ts')) return next(url, context);
  const stripped = strippedFile(fileURLToPath(url));
  const source = readIfThere(stripped) ?? (orderStripping(), readIfThere(stripped));
  return source === undefined ? next(url, context) : { format: 'module', source, shortCircuit: true };
}

function readIfThere(file) {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

/** Named after what stands in the source, so that another version of it is another file, whatever the times of either. */
function strippedFile(source) {
  return join(strippedDir, `${source.slice(root.length)}.${createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 32)}`);
}

/** Has a process of its own strip everything, once. Where it cannot, Node does it in this one, which then takes more memory. */
function orderStripping() {
  if (isOrdered) return;
  isOrdered = true;
  spawnSync(process.execPath, [import.meta.filename], { env: { ...process.env, [asksToStrip]: '1' }, stdio: 'ignore', timeout: 30_000 });
}

/** Deletes what other versions left. A file is there whole or not at all. */
function stripAll() {
  rmSync(strippedDir, { recursive: true, force: true });
  for (const folder of ['monitor', 'backups', 'lib']) {
    const names = readdirSync(join(root, folder), { recursive: true }).filter((name) => name.endsWith('.ts'));
    for (const name of names) {
      const source = join(root, folder, name);
      const target = strippedFile(source);
      mkdirSync(dirname(target), { recursive: true, mode: 0o700 });
      writeFileSync(`${target}.unfinished`, withoutWords(stripTypeScriptTypes(readFileSync(source, 'utf8'))), { mode: 0o600 });
      renameSync(`${target}.unfinished`, target);
    }
  }
}

/** V8 keeps the text of what it runs: docstrings and what is left of types are of no use there. Lines keep their numbers. */
function withoutWords(code) {
  return code.replaceAll(/^[ \t]*\/\*\*[\s\S]*?\*\//gm, (words) => words.replaceAll(/[^\n]/g, '')).replaceAll(/[ \t]+$/gm, '');
}
