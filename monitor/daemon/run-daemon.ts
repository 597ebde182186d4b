import type { Environment } from '#lib/env.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import { createLogger } from '#lib/logger.ts';
import { stopSignal } from '#lib/shutdown.ts';
import { readMonitorSettings, type MonitorSettings } from '../config/config.ts';
import { startDaemon, type Daemon } from './daemon.ts';
import { noDecorations, type Decorations } from './house.ts';

/** A terminal that closes sends SIGHUP as well, and means the end. */
const isOnTerminal = process.stdout.isTTY;

/**
 * Runs the monitor until SIGINT or SIGTERM. SIGHUP reads the settings anew, and the files behind `X_FILE` variables with them; so
 * does a change of the file MONITOR_CONFIG names.
 * @throws what keeps it from starting: {ConfigError} · {BusyError} · {StoreError}
 */
export async function runDaemon(env: Environment, decorate: Decorations = noDecorations): Promise<ExitCode> {
  const stopped = stopSignal(isOnTerminal ? ['SIGINT', 'SIGTERM', 'SIGHUP'] : ['SIGINT', 'SIGTERM']);
  let daemon: Daemon | undefined;
  const read = (): Promise<MonitorSettings> => readMonitorSettings(env);
  const reload = (): void => void daemon?.reload('SIGHUP');
  // From the beginning: without a handler the signal would end the process.
  if (!isOnTerminal) process.on('SIGHUP', reload);
  const settings = await read();
  const logger = createLogger('monitor', settings.env);
  for (const warning of settings.warnings) logger.warn(warning);
  daemon = await startDaemon(settings, logger, { decorate, read });
  logger.info({ port: daemon.port, targets: settings.probes.map(({ name }) => name) }, 'monitor started');
  let exitCode: ExitCode = EXIT.done;
  try {
    const signal = await Promise.race([stopped, daemon.failed]);
    logger.info({ signal }, 'monitor stops');
  } catch (err) {
    logger.fatal({ err }, 'a part of the monitor has ended; it stops so that it can be started anew');
    exitCode = EXIT.failed;
  }
  process.off('SIGHUP', reload);
  await daemon.stop();
  logger.info('monitor stopped');
  return exitCode;
}
