import { pino } from 'pino';
import { createLogger } from '#lib/logger.ts';
import { stopSignal } from '#lib/shutdown.ts';
import { runStack } from './run-stack.ts';

const logger = createLogger('start', { LOG_LEVEL: 'error', LOG_FORMAT: 'text' }, pino.destination({ dest: 2, sync: true }));
process.exitCode = await runStack({ env: process.env, stopped: stopSignal(), logger });
