import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';
import { join } from 'node:path';

/**
 * Imported by every process of a stack that is profiled, ahead of its own program: a worker of the API writes into the
 * folder `dir` of this file's address, when it ends, where it spent its time since SIGUSR2. Node takes --cpu-prof only from
 * a command line, and it would count what a program does once, at its start.
 */

const dir = new URL(import.meta.url).searchParams.get('dir');
const sampleEveryUs = 1_000;

if (dir !== null && process.argv[1]?.endsWith('api/worker.ts')) process.once('SIGUSR2', () => startProfile(dir));

function startProfile(into: string): void {
  const session = new Session();
  session.connect();
  session.post('Profiler.enable');
  session.post('Profiler.setSamplingInterval', { interval: sampleEveryUs });
  session.post('Profiler.start');
  process.on('exit', () =>
    session.post('Profiler.stop', (_err, result) => {
      writeFileSync(join(into, `${process.pid}.cpuprofile`), JSON.stringify(result.profile));
    }),
  );
}
