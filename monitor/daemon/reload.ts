import { ConfigError, messageOf } from '#lib/errors.ts';
import type { MonitorSettings } from '../config/config.ts';
import type { TimelineEntry } from '../model/quiet.ts';
import type { House } from './house.ts';
import { createParts, type Parts } from './parts.ts';

/** What the settings make, exchanged at every reload over the same house. */
export type RunningParts = {
  /** The ones in force. */
  readonly parts: () => Parts;
  readonly start: () => void;
  /**
   * Puts the settings in force as they are written now, once no backup is under way. What is on its way, what was seen of targets
   * and what is open stay. Settings that cannot be used leave everything as it is, and people are told. Never rejects.
   * @param by who asked for it, for the timeline
   */
  readonly reload: (by: string) => Promise<void>;
  readonly stop: () => Promise<void>;
};

export type RunningPartsDeps = {
  /** Reads the settings as they are written now. */
  readonly read: () => Promise<MonitorSettings>;
  /** Called when a part ends that never should. */
  readonly onFailure: (err: unknown) => void;
};

/** @throws {StoreError} when what an earlier process left cannot be read */
export function createRunningParts(house: House, settings: MonitorSettings, { read, onFailure }: RunningPartsDeps): RunningParts {
  let settingsFault: string | undefined;
  let reloading = Promise.resolve();
  let isStopping = false;
  const make = (next: MonitorSettings, before?: Parts): Parts =>
    createParts(house, next, {
      carried: (target) => before?.seenOf(target),
      settingsFault: () => settingsFault,
      onChange: () => void reload('a change of the file'),
    });
  let parts = make(settings);
  let stopParts: (() => Promise<void>) | undefined;
  const start = (): void => {
    const stopping = new AbortController();
    const running = parts.run(stopping.signal).catch(onFailure);
    stopParts = async () => {
      stopping.abort('the monitor stops');
      await running;
    };
  };
  const exchange = async (by: string): Promise<void> => {
    const next = await readUsable(house, read);
    settingsFault = 'fault' in next ? next.fault : undefined;
    if ('fault' in next) return keepOnTimeline(house, { event: 'reload_refused', by, detail: next.fault });
    await parts.whenIdle();
    await stopParts?.();
    if (isStopping) return;
    parts = make(next.settings, parts);
    start();
    keepOnTimeline(house, { event: 'reloaded', by, detail: `watched: ${next.settings.probes.map(({ name }) => name).join(', ')}` });
  };
  // Asked for while one is under way, another follows: the file may have changed again.
  const reload = (by: string): Promise<void> => (reloading = reloading.then(() => exchange(by)).catch(onFailure));
  return {
    parts: () => parts,
    start,
    reload,
    stop: async () => {
      isStopping = true;
      await stopParts?.();
    },
  };
}

/** The settings as they are written now, or why they cannot be put in force, in one line. */
async function readUsable(
  { outbox, logger }: House,
  read: RunningPartsDeps['read'],
): Promise<{ readonly settings: MonitorSettings } | { readonly fault: string }> {
  try {
    const settings = await read();
    const fault = outbox.storeFault();
    if (fault) throw new ConfigError([`the store takes nothing at present: ${fault.why}`]);
    return { settings };
  } catch (err) {
    const [first = '', ...more] = err instanceof ConfigError ? err.problems : [messageOf(err)];
    logger.error({ err }, 'the settings cannot be used; the old ones stay in force');
    const rest = more.length > 0 ? ` (and ${more.length} more)` : '';
    return { fault: `the new settings cannot be used, so the old ones stay in force: ${first}${rest}` };
  }
}

function keepOnTimeline({ outbox, clock, logger }: House, entry: Pick<TimelineEntry, 'event' | 'by' | 'detail'>): void {
  outbox.commit({ health: [], incidents: [], alerts: [], timeline: [{ at: clock().at, ...entry }] });
  logger.info({ by: entry.by }, `settings ${entry.event === 'reloaded' ? 'put in force' : 'refused'}: ${entry.detail}`);
}
