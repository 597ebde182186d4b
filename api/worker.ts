import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { reportError } from '#lib/command-line.ts';
import { AppError, ConfigError, messageOf, UsageError } from '#lib/errors.ts';
import { EXIT } from '#lib/exit-codes.ts';
import { readApiConfig } from './config.ts';
import { openApiLogs, type ApiLogs } from './logs/api-logs.ts';
import { createWorkerLink, workerSlotVariable, type PrimaryMessage, type WorkerMessage } from './processes/channel.ts';
import { runWorker } from './processes/run-worker.ts';

/** One API process; `main.ts` starts and replaces it. */

const slot = Number(process.env[workerSlotVariable]);
if (process.send === undefined || !Number.isInteger(slot)) {
  process.exit(reportError(new UsageError('this is started by the API itself; use npm run api')));
}

// V8 makes an object old at once where many made at the same place outlived collections, as those of requests that wait do. Done with,
// it still keeps all it leads to, here a whole request, until a full collection. See docs/performance-inside.md, How far a GET could go.
// Not on a command line, since code compiled under another has a cache of its own; nor above, by the process that fills the cache.
setFlagsFromString('--no-allocation-site-pretenuring');
// By itself V8 lets old objects grow to four times what a collection at rest left, before it looks again. See docs/performance-inside.md, Memory.
setFlagsFromString('--heap-growing-percent=80');

let logs: ApiLogs | undefined;
const stop = Promise.withResolvers<void>();
const link = createWorkerLink({
  // A primary that is gone cannot be told; the closed channel ends this process.
  send: (message) => void process.send?.(message, undefined, undefined, () => undefined),
  onMessage: (listener) => void process.on('message', (message) => listener(message as PrimaryMessage)),
  onDrain: stop.resolve,
});

// Ctrl-C reaches the whole process group; the primary decides what it means.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
process.on('SIGTERM', () => stop.resolve());
process.on('exit', () => logs?.flushSync());
process.on('uncaughtException', (err) => {
  logs?.logger.fatal({ err }, 'worker ends after an error nobody caught');
  process.exit(EXIT.failed);
});

try {
  const config = readApiConfig(process.env);
  logs = await openApiLogs({ settings: config, worker: slot });
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  const isClean = await runWorker({ config, link, logs, version, stop: stop.promise });
  await logs.close();
  process.exit(isClean ? EXIT.done : EXIT.failed);
} catch (err) {
  const problems = err instanceof ConfigError ? err.problems : [messageOf(err)];
  const exitCode = err instanceof AppError ? err.exitCode : EXIT.failed;
  logs?.logger.fatal({ err }, 'worker could not start');
  const message: WorkerMessage = { kind: 'failed', problems, exitCode };
  process.send(message, undefined, undefined, () => process.exit(exitCode));
}
