import { AsyncLocalStorage } from 'node:async_hooks';
import { ConfigError } from '#lib/errors.ts';
import { createLogger } from '#lib/logger.ts';
import type { Channel } from '#monitor/alerts/channel.ts';
import { createOutbox, type Outbox } from '#monitor/alerts/outbox.ts';
import { createSelfAlerts } from '#monitor/alerts/self-alerts.ts';
import type { MonitorSettings } from '#monitor/config/config.ts';
import { obey } from '#monitor/daemon/control.ts';
import type { House } from '#monitor/daemon/house.ts';
import { createRunningParts, type RunningParts } from '#monitor/daemon/reload.ts';
import type { TickCommit } from '#monitor/model/incident.ts';
import { systemClock } from '#monitor/model/look.ts';
import type { Command } from '#monitor/quiet/command.ts';
import { createBeats } from '#monitor/probes/beats.ts';
import { createSilences } from '#monitor/quiet/silences.ts';
import { createLoadTestSight } from '#monitor/slo/load-test-sight.ts';
import type { MonitorStore } from '#monitor/store/store.ts';

/** One life of the monitor: from a start to a crash. */
export type MonitorProcess = {
  readonly outbox: Outbox;
  readonly running: RunningParts;
  /** Begins to watch and to send, which may be the end of it at once. */
  readonly begin: () => void;
  /** Reads the settings anew. @param isBad what is written cannot be used */
  readonly reload: (settings: MonitorSettings, isBad?: boolean) => void;
  /** @throws {UsageError} {StoreError} as the running monitor does */
  readonly command: (command: Command) => void;
  isDead: boolean;
};

export type Surroundings = {
  readonly store: MonitorStore;
  readonly decorate: (channel: Channel) => Channel;
  /** Called for all that is decided, before it is recorded. */
  readonly onCommit: (tick: TickCommit, channels: readonly string[]) => void;
  /** Called when settings come into force. */
  readonly onServe: (settings: MonitorSettings) => void;
  readonly onFailure: (err: unknown) => void;
};

const logger = createLogger('test', { LOG_LEVEL: 'silent', LOG_FORMAT: 'json' });
const lives = new AsyncLocalStorage<{ isDead: boolean }>();

/** Whether whoever runs now may still do something: what a crash has cut off goes on in promises, and reaches nobody. */
export const isAlive = (): boolean => lives.getStore()?.isDead !== true;

/** Does something on nobody's behalf, as when a crash has cut off whoever runs now. */
export const besides = (work: () => void): void => lives.exit(work);

/** Starts all that a daemon is made of but its page, its watchdog and its folder, over a store that outlives it. */
export function startProcess(settings: MonitorSettings, around: Surroundings): MonitorProcess {
  const process = { isDead: false } as MonitorProcess;
  let [written, isWrittenBad, read, served] = [settings, false, settings, [] as readonly string[]];
  lives.run(process, () => {
    const real = createOutbox({ store: around.store, clock: systemClock, logger });
    const outbox: Outbox = {
      ...real,
      commit: (tick, except = []) => {
        if (process.isDead) return;
        around.onCommit(
          tick,
          served.filter((name) => !except.includes(name)),
        );
        real.commit(tick, except);
      },
      serve: (channels, since) => {
        if (process.isDead) return;
        served = channels;
        around.onServe(read);
        real.serve(channels, since);
      },
    };
    const house: House = {
      lock: { assertHeld: () => {}, release: () => {} },
      store: around.store,
      outbox,
      selfAlerts: createSelfAlerts({ outbox, clock: systemClock, left: around.store.openIncidents(), isTaken: around.store.isTaken }),
      silences: createSilences({ store: around.store, clock: systemClock }),
      signer: { sign: () => 'signed', isSigned: () => true },
      firstAnswers: { awaitedSince: systemClock(), from: new Set() },
      sloMarks: new Map(),
      loadTests: createLoadTestSight(),
      beats: createBeats({ ledger: around.store.beats, clock: systemClock }),
      latencies: { saw: () => {}, keep: () => {} },
      clock: systemClock,
      logger,
      decorate: { store: (store) => store, channel: around.decorate },
      notices: [],
    };
    const running = createRunningParts(house, settings, {
      // oxlint-disable-next-line typescript/require-await -- a read is asynchronous by its type
      read: async () => {
        if (isWrittenBad) throw new ConfigError(['probes: must be a list']);
        return (read = written);
      },
      onFailure: around.onFailure,
    });
    Object.assign(process, {
      outbox: real,
      running,
      begin: () => lives.run(process, running.start),
      reload: (next: MonitorSettings, isBad = false) => {
        [written, isWrittenBad] = [isBad ? written : next, isBad];
        lives.run(process, () => void running.reload('a history'));
      },
      command: (command: Command) => {
        lives.run(process, () => void obey({ silences: house.silences, watch: running.parts().watch, store: house.store }, command));
      },
    });
  });
  return process;
}
