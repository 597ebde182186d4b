import { ConfigError, messageOf } from '#lib/errors.ts';
import type { Logger } from '#lib/logger.ts';
import { closeInOrder, type Closer } from '#lib/shutdown.ts';
import type { MonitorSettings } from '../config/config.ts';
import type { Control } from '../status-page/control-pages.ts';
import { startStatusServer } from '../status-page/status-server.ts';
import { obey } from './control.ts';
import { openHouse, type Decorations, type House } from './house.ts';
import { createParts, type Parts } from './parts.ts';
import { startWatchdog } from './watchdog.ts';

export type Daemon = {
  /** Port of the status page. */
  readonly port: number;
  /** Rejects when a part ends that never should. */
  readonly failed: Promise<never>;
  /**
   * Puts other settings in force, as read anew, once no backup is under way; the folder, its store and what is on its way stay. Settings that cannot be
   * read leave everything as it is, and people are told. Never rejects.
   */
  readonly reload: (read: () => Promise<MonitorSettings>) => Promise<void>;
  /** Ends every part in order, within `stopDeadlineMs`. */
  readonly stop: () => Promise<void>;
};

const stopDeadlineMs = 9_000;

/**
 * Starts the monitor: its house, the status page, then what the settings make. What was opened is closed again when a later
 * part cannot start.
 * @throws {BusyError} another monitor holds the folder · {ConfigError} the port is in use · {StoreError}
 */
export async function startDaemon(settings: MonitorSettings, logger: Logger, decorate: Decorations): Promise<Daemon> {
  const closers: Closer[] = [];
  const stop = async (): Promise<void> => void (await closeInOrder(closers.toReversed(), stopDeadlineMs, logger));
  try {
    const house = openHouse(settings, logger, decorate, closers);
    const failed = Promise.withResolvers<never>();
    failed.promise.catch(() => {});
    let running = createParts(house, settings);
    house.notices.forEach(house.selfAlerts.notice);
    const { MONITOR_HOST: host, MONITOR_PORT: port, MONITOR_DATA_DIR: dir } = settings.env;
    const control: Control = { signer: house.signer, obey: (command) => obey({ silences: house.silences, watch: running.watch }, command) };
    const server = await startStatusServer({ host, port, takeSnapshot: () => running.takeSnapshot(), control, logger });
    closers.push({ name: 'status page', close: server.close });
    closers.push({ name: 'watchdog', close: startWatchdog(dir, { killAfterMs: decorate.standstillMs, logger }).stop });
    let current = run(running, failed.reject);
    closers.push({ name: 'watch and delivery', close: () => current.stop() });
    const reload = async (read: () => Promise<MonitorSettings>): Promise<void> => {
      const next = await readOrTell(house, read);
      if (!next) return;
      await running.whenIdle();
      await current.stop();
      try {
        running = createParts(house, next);
        current = run(running, failed.reject);
        logger.info({ targets: next.probes.map(({ name }) => name) }, 'other settings are in force');
      } catch (err) {
        failed.reject(err);
      }
    };
    return { port: server.port, failed: failed.promise, reload, stop };
  } catch (err) {
    await stop();
    throw err;
  }
}

function run(parts: Parts, onFailure: (err: unknown) => void): { readonly stop: () => Promise<void> } {
  const stopping = new AbortController();
  const running = parts.run(stopping.signal).catch(onFailure);
  return {
    stop: async () => {
      stopping.abort('the monitor stops');
      await running;
    },
  };
}

async function readOrTell(house: House, read: () => Promise<MonitorSettings>): Promise<MonitorSettings | undefined> {
  try {
    const settings = await read();
    const fault = house.outbox.storeFault();
    if (fault) throw new ConfigError([`the store takes nothing at present: ${fault.why}`]);
    return settings;
  } catch (err) {
    const [first = '', ...more] = err instanceof ConfigError ? err.problems : [messageOf(err)];
    house.logger.error({ err }, 'the settings cannot be used; the old ones stay in force');
    const detail = `the new settings cannot be used, so the old ones stay in force: ${first}${more.length > 0 ? ` (and ${more.length} more)` : ''}`;
    house.selfAlerts.notice({ part: 'settings', detail, nextStep: 'npm run monitor -- check-config' });
    return undefined;
  }
}
