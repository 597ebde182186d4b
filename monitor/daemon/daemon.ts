import type { Logger } from '#lib/logger.ts';
import { closeInOrder, type Closer } from '#lib/shutdown.ts';
import type { MonitorSettings } from '../config/config.ts';
import { createAccess } from '../status-page/access.ts';
import { startStatusServer } from '../status-page/status-server.ts';
import { hear, obey } from './control.ts';
import { openHouse, type Decorations } from './house.ts';
import { createRunningParts, type RunningParts, type RunningPartsDeps } from './reload.ts';
import { createNonces } from '../quiet/signature.ts';
import { startWatchdog } from './watchdog.ts';

export type Daemon = Pick<RunningParts, 'reload'> & {
  /** Port of the status page. */
  readonly port: number;
  /** Rejects when a part ends that never should. */
  readonly failed: Promise<never>;
  /** Ends every part in order, within `stopDeadlineMs`. */
  readonly stop: () => Promise<void>;
};

export type DaemonDeps = Pick<RunningPartsDeps, 'read'> & { readonly decorate: Decorations };

const stopDeadlineMs = 9_000;

/**
 * Starts the monitor: its house, the status page, then what the settings make. What was opened is closed again when a later
 * part cannot start.
 * @throws {BusyError} another monitor holds the folder · {ConfigError} the port is in use · {StoreError}
 */
export async function startDaemon(settings: MonitorSettings, logger: Logger, { decorate, read }: DaemonDeps): Promise<Daemon> {
  const closers: Closer[] = [];
  const stop = async (): Promise<void> => void (await closeInOrder(closers.toReversed(), stopDeadlineMs, logger));
  try {
    const house = openHouse(settings, logger, decorate, closers);
    const { silences, signer, store } = house;
    const failed = Promise.withResolvers<never>();
    failed.promise.catch(() => {});
    const running = createRunningParts(house, settings, { read, onFailure: failed.reject });
    house.notices.forEach(house.selfAlerts.notice);
    const { MONITOR_HOST: host, MONITOR_PORT: port, MONITOR_DATA_DIR: dir } = settings.env;
    const server = await startStatusServer({
      host,
      port,
      takeSnapshot: () => running.parts().takeSnapshot(),
      control: {
        signer,
        takeNonce: createNonces(store, Date.now),
        incident: store.incident,
        obey: (command) => obey({ silences, watch: running.parts().watch, store }, command),
        hear: (probe, beat) => hear({ beats: house.beats, watch: running.parts().watch }, probe, beat),
      },
      records: store,
      latencies: store.latencies,
      origin: settings.sender.statusUrl.replace(/\/$/, ''),
      access: createAccess({
        password: () => running.parts().operatorPassword,
        signer,
        isSecure: settings.env.MONITOR_URL?.startsWith('https:') === true,
      }),
      logger,
    });
    closers.push({ name: 'status page', close: server.close });
    closers.push({ name: 'watchdog', close: startWatchdog(dir, { killAfterMs: decorate.standstillMs, logger }).stop });
    running.start();
    closers.push({ name: 'watch and delivery', close: running.stop });
    return { port: server.port, failed: failed.promise, reload: running.reload, stop };
  } catch (err) {
    await stop();
    throw err;
  }
}
