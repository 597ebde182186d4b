import { pino } from 'pino';
import { createLogger } from '#lib/logger.ts';
import { parentEnded, stopSignal } from '#lib/shutdown.ts';
import { runStack } from './stack/run-stack.ts';

// A terminal that is closed, or a pipe nobody reads any more, must not cut an orderly stop short.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

const logger = createLogger('start', { LOG_LEVEL: 'error', LOG_FORMAT: 'text' }, pino.destination({ dest: 2, sync: true }));
const isRunByNpm = process.env['npm_lifecycle_event'] !== undefined;
const stopped = isRunByNpm ? Promise.race([stopSignal(), parentEnded()]) : stopSignal();
process.exitCode = await runStack({ env: process.env, stopped, logger });
