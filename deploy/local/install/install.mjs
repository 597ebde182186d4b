// Runs before `npm start` and `npm test` (prestart, pretest), under whatever Node the machine has: plain JavaScript for
// Node 20, standing on nothing that is not yet installed. Quick when nothing is missing.
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { installNodePackages } from './node-packages.mjs';
import { installSystemPackages } from './system-packages.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const tell = (line) => process.stderr.write(`${line}\n`);

// A Ctrl-C ends what was started before this process ends: whoever starts again at once finds nobody in the way.
const stopping = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stopping.abort());
const interruptedStatus = 130;

try {
  await installNodePackages({ root, env: process.env, tell, signal: stopping.signal });
  if (process.argv[2] === 'test') await installSystemPackages({ env: process.env, tell });
} catch (err) {
  if (!stopping.signal.aborted) tell(`error: ${err.message}`);
  process.exitCode = 1;
}
if (stopping.signal.aborted) process.exitCode = interruptedStatus;
