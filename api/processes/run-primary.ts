import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { Server } from 'node:http';
import { withoutSecrets, type Environment } from '#lib/env.ts';
import { ConfigError, messageOf } from '#lib/errors.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import type { Logger } from '#lib/logger.ts';
import { retry } from '#lib/retry.ts';
import { apiEnv, readApiConfig, workerCount, type ApiConfig } from '../config.ts';
import { keyKey } from '../auth/principal.ts';
import { poolBounds } from '../db/pool.ts';
import { createPrimaryCounter } from '../limiter/primary-limiter.ts';
import { openApiLogs, type ApiLogs } from '../logs/api-logs.ts';
import { createPrimaryMetrics, mergeMetrics } from './collect-metrics.ts';
import { createAdminServer } from './admin-server.ts';
import { setUpDatabase } from './database-setup.ts';
import { assertFree, listen } from '#lib/listen.ts';
import type { ConnectionPlan } from './connection-budget.ts';
import { Supervisor } from './supervisor.ts';

/** Above DRAIN_TIMEOUT, for a worker to close what it opened after its own deadline. */
const drainGraceMs = 3_000;

/** What ends the primary: a signal, a call of /drain, or settings that only show now to be unusable. */
type End = { readonly reason: string; readonly error?: ConfigError };

/**
 * Runs the API: checks what can be checked before anything is started, keeps the workers running, answers on the admin
 * port, and drains when `stopSignal` resolves.
 * @throws {ConfigError} when the settings cannot work
 */
export async function runPrimary(env: Environment, stopSignal: Promise<string>): Promise<ExitCode> {
  const warnings: string[] = [];
  const config = readApiConfig(env, (warning) => warnings.push(warning));
  const logs = await openApiLogs({ settings: config, worker: 0 });
  const { logger } = logs;
  for (const warning of warnings) logger.warn(warning);
  try {
    const onKeyMade = (id: number): void => logs.security({ event: 'key_made', account: keyKey(id), principal: 'settings' });
    return await new Primary({ config, env, logger, stopSignal, onKeyMade, reopenLogs: logs.reopen }).run();
  } finally {
    await logs.close();
  }
}

type PrimaryOptions = {
  readonly config: ApiConfig;
  readonly env: Environment;
  readonly logger: Logger;
  readonly stopSignal: Promise<string>;
  readonly onKeyMade: (id: number) => void;
  /** Of this process. */
  readonly reopenLogs: ApiLogs['reopen'];
};

class Primary {
  readonly #options: PrimaryOptions;
  readonly #workers: number;
  readonly #supervisor: Supervisor;
  readonly #admin: Server;
  readonly #end = Promise.withResolvers<End>();
  /** Undefined until the database has answered once. */
  #plan: ConnectionPlan | undefined = undefined;

  constructor(options: PrimaryOptions) {
    const { config, env, logger } = options;
    this.#options = options;
    this.#workers = workerCount(config, availableParallelism());
    this.#supervisor = new Supervisor({
      workers: this.#workers,
      workerFile: fileURLToPath(new URL('../worker.ts', import.meta.url)),
      env: definedOnly(env),
      count: createPrimaryCounter(),
      logger,
    });
    const own = createPrimaryMetrics(() => this.#supervisor.status());
    this.#admin = createAdminServer({
      token: config.ADMIN_TOKEN,
      metricsToken: config.METRICS_TOKEN,
      metrics: async (names) => (await mergeMetrics(await this.#supervisor.collectMetrics(names))) + (await own.metrics()),
      config: () => this.#effectiveConfig(),
      drain: () => this.#end.resolve({ reason: 'POST /drain' }),
      reopenLogs: async () => {
        const [inodes, { writers, silent }] = await Promise.all([options.reopenLogs(), this.#supervisor.reopenLogs()]);
        return { writers: [{ worker: 0, pid: process.pid, inodes }, ...writers], silent };
      },
      logger,
    });
  }

  async run(): Promise<ExitCode> {
    const { config, logger, stopSignal, onKeyMade } = this.#options;
    void stopSignal.then((reason) => this.#end.resolve({ reason }));
    const outcome = await setUpDatabase(config, this.#workers, onKeyMade);
    await assertFree({ host: config.API_HOST, port: config.API_PORT, hostVariable: 'API_HOST', portVariable: 'API_PORT' });
    await listen(this.#admin, { host: config.ADMIN_HOST, port: config.ADMIN_PORT, hostVariable: 'ADMIN_HOST', portVariable: 'ADMIN_PORT' });
    const background = new AbortController();
    try {
      void this.#end.promise.then(() => this.#supervisor.drain(this.#drainMs()));
      if (outcome.state === 'done') this.#follow(outcome.plan);
      else void this.#setUpLater(outcome.reason, background.signal);
      await this.#supervisor.start();
      logger.info({ url: `http://${config.API_HOST}:${config.API_PORT}`, workers: this.#workers }, 'api ready');
      return await this.#untilEnd();
    } finally {
      background.abort();
      this.#admin.close();
      this.#admin.closeAllConnections();
    }
  }

  async #untilEnd(): Promise<ExitCode> {
    const { logger } = this.#options;
    const { reason, error } = await this.#end.promise;
    logger.info({ reason }, 'api drains');
    const isClean = await this.#supervisor.drain(this.#drainMs());
    logger.info({ clean: isClean }, 'api stopped');
    if (error) throw error;
    return isClean ? EXIT.done : EXIT.failed;
  }

  #drainMs(): number {
    return this.#options.config.DRAIN_TIMEOUT * 1_000 + drainGraceMs;
  }

  #follow(plan: ConnectionPlan): void {
    this.#plan = plan;
    this.#supervisor.limitPools(plan.perWorkerMax);
    if (plan.scaledDown !== undefined) this.#options.logger.warn(plan.scaledDown);
  }

  /** The API serves what it can meanwhile; what it learns once the database answers may still end it. */
  async #setUpLater(reason: string, signal: AbortSignal): Promise<void> {
    const { config, logger, onKeyMade } = this.#options;
    logger.error({ reason }, 'database is not available yet; the api starts without it and keeps trying');
    const attempt = async (): Promise<ConnectionPlan> => {
      const outcome = await setUpDatabase(config, this.#workers, onKeyMade);
      if (outcome.state === 'unavailable') throw new Error(outcome.reason);
      return outcome.plan;
    };
    try {
      const plan = await retry(attempt, {
        attempts: Infinity,
        firstDelayMs: 500,
        maxDelayMs: 5_000,
        signal,
        isRetryable: timeMayMend,
      });
      this.#follow(plan);
      logger.info('database is available');
    } catch (err) {
      if (err instanceof ConfigError) this.#end.resolve({ reason: messageOf(err), error: err });
    }
  }

  #effectiveConfig(): Record<string, unknown> {
    const { config } = this.#options;
    const configuredMax = poolBounds(config).max;
    const { perWorkerMax = configuredMax, totalMax = this.#workers * configuredMax, scaledDown, serverMax } = this.#plan ?? {};
    return {
      ...withoutSecrets(apiEnv, config),
      workers: this.#workers,
      pool: {
        per_worker_max: perWorkerMax,
        total_max: totalMax,
        configured_per_worker_max: configuredMax,
        scaled_down: scaledDown ?? null,
      },
      // Null until the database has answered once.
      server_max_connections: serverMax ?? null,
    };
  }
}

const timeMayMend = (err: unknown): boolean => !(err instanceof ConfigError);

function definedOnly(env: Environment): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
