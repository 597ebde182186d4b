import type { Environment } from '#lib/env.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import { createLogger } from '#lib/logger.ts';
import { stopSignal } from '#lib/shutdown.ts';
import { readMonitorSettings } from '../config/config.ts';
import { startDaemon, type Decorations } from './daemon.ts';

/**
 * Runs the monitor until SIGINT, SIGTERM or SIGHUP.
 * @throws what keeps it from starting: {ConfigError} · {BusyError} · {StoreError}
 */
export async function runDaemon(env: Environment, decorate?: Decorations): Promise<ExitCode> {
  const settings = await readMonitorSettings(env);
  const logger = createLogger('monitor', settings.env);
  const stopped = stopSignal();
  const daemon = await startDaemon(settings, logger, decorate);
  logger.info({ port: daemon.port, targets: settings.probes.map(({ name }) => name) }, 'monitor started');
  let exitCode: ExitCode = EXIT.done;
  try {
    const signal = await Promise.race([stopped, daemon.failed]);
    logger.info({ signal }, 'monitor stops');
  } catch (err) {
    logger.fatal({ err }, 'a part of the monitor has ended; it stops so that it can be started anew');
    exitCode = EXIT.failed;
  }
  await daemon.stop();
  logger.info('monitor stopped');
  return exitCode;
}
