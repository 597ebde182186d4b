import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Imported into every process of the API that is soaked: every few seconds it collects all garbage, and writes what is left,
 * in bytes, to a file of its process in the folder that SOAK_HEAP names. V8 compiles a function anew, and better, the more often it ran,
 * which at a steady rate goes on for hours, and drops the code of what has not run for six collections, here half a minute. So it drops
 * none, and compiles no more once SOAK_COMPILES_MS are over: what grows then is data.
 */

const [folder, compilesMs] = [process.env['SOAK_HEAP'], Number(process.env['SOAK_COMPILES_MS'])];
const everyMs = 5_000;
/** Those that optimize; the interpreter goes on. */
const compilers = ['turbofan', 'maglev', 'sparkplug'];

if (folder !== undefined) {
  setFlagsFromString('--expose-gc');
  setFlagsFromString('--no-flush-bytecode');
  setTimeout(() => compilers.forEach((compiler) => setFlagsFromString(`--no-${compiler}`)), compilesMs).unref();
  const collect = runInNewContext('gc') as () => void;
  const file = join(folder, `${process.pid}`);
  setInterval(() => {
    collect();
    const { heapUsed, external, rss } = process.memoryUsage();
    writeFileSync(`${file}.new`, JSON.stringify({ heapBytes: heapUsed + external, residentBytes: rss }));
    renameSync(`${file}.new`, file);
  }, everyMs).unref();
}
