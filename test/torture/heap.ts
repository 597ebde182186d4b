import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Imported into every process of the API that is soaked: every few seconds it collects all garbage, and writes what is left,
 * in bytes, to a file of its process in the folder that SOAK_HEAP names.
 */

const folder = process.env['SOAK_HEAP'];
const everyMs = 5_000;

if (folder !== undefined) {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const file = join(folder, `${process.pid}`);
  setInterval(() => {
    collect();
    const { heapUsed, external, rss } = process.memoryUsage();
    writeFileSync(`${file}.new`, JSON.stringify({ heapBytes: heapUsed + external, residentBytes: rss }));
    renameSync(`${file}.new`, file);
  }, everyMs).unref();
}
