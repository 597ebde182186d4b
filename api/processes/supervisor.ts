import cluster, { type Worker } from 'node:cluster';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AppError } from '#lib/errors.ts';
import type { Logger } from '#lib/logger.ts';
import type { TakeTuples } from '../limiter/primary-limiter.ts';
import { createInquiry, whoReopened, type AnsweringWorker, type Reopened } from './ask-workers.ts';
import type { WorkerMetrics } from './collect-metrics.ts';
import { startErrorFrom, tellWorker, workerSlotVariable, WorkerStartError, type WorkerMessage } from './channel.ts';
import { restartDecision } from './restart-plan.ts';
import { watchStalls } from './watch-stalls.ts';

export type SupervisorOptions = {
  /** Number of worker processes kept running. */
  readonly workers: number;
  /** Source file each runs. */
  readonly workerFile: string;
  /** Environment of the workers, beside the primary's own. */
  readonly env: Readonly<Record<string, string>>;
  /** Counts rate limits for all workers. */
  readonly count: (takes: readonly TakeTuples[]) => readonly number[];
  readonly logger: Logger;
};

/** The place of one worker; its number stays when the process in it is replaced. */
type Slot = {
  readonly number: number;
  worker: Worker | undefined;
  /** `performance.now()` when it took its first request; undefined before. */
  readyAt: number | undefined;
  lastBeatAt: number;
  deathsInARow: number;
};

type Exit = { readonly code: number; readonly signal: string | null; readonly startError: AppError | undefined };

/**
 * Room for young objects, in MB, of which V8 keeps three: by itself it lets a busy worker grow to 265 MB, with this to 175,
 * for a few percent of CPU (300,000 reads, 200 at a time).
 */
const workerMemory = ['--max-semi-space-size=16'];

/**
 * Bytes from which the C library takes a block from the system and gives it back, for each block. By itself it keeps what it had
 * for passwords, 16 MiB each, once it has seen one: 68 MB of a worker after twenty logins. Costs a login 6 of its 130 ms. Read by glibc.
 */
const workerMalloc = { MALLOC_MMAP_THRESHOLD_: `${2 ** 23}`, MALLOC_TRIM_THRESHOLD_: `${2 ** 23}` };

/** Keeps the workers running: one that dies or stalls is replaced, with growing delays when it keeps dying. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #slots: readonly Slot[];
  readonly #metrics = createInquiry<'metrics'>();
  readonly #reopenings = createInquiry<'reopened'>();
  readonly #started = Promise.withResolvers<void>();
  #isDraining = false;
  #hasEverServed = false;
  #hasLostRequests = false;
  #poolLimit: number | undefined;
  #restarts = 0;
  #stallTimer: NodeJS.Timeout | undefined;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#slots = Array.from({ length: options.workers }, (_, index) => ({
      number: index + 1,
      worker: undefined,
      readyAt: undefined,
      lastBeatAt: 0,
      deathsInARow: 0,
    }));
  }

  /**
   * Resolves once every worker takes requests, and also when a drain comes first.
   * @throws {ConfigError | WorkerStartError} when a worker cannot start; none then runs
   */
  async start(): Promise<void> {
    cluster.setupPrimary({ exec: this.#options.workerFile, args: [], execArgv: [...process.execArgv, ...workerMemory] });
    for (const slot of this.#slots) this.#fork(slot);
    this.#stallTimer = watchStalls(this.#slots, this.#options.logger);
    try {
      await this.#started.promise;
    } catch (err) {
      await this.drain(0);
      throw err;
    }
  }

  /**
   * Lets workers finish what they accepted; whoever still runs after `deadlineMs` is killed.
   * @returns whether all ended in time and by themselves, nothing lost
   */
  async drain(deadlineMs: number): Promise<boolean> {
    this.#isDraining = true;
    clearInterval(this.#stallTimer);
    this.#started.resolve();
    for (const { worker, readyAt } of this.#slots) {
      if (worker && readyAt !== undefined) tellWorker(worker, { kind: 'drain' });
      // It has accepted nothing, and may not listen to messages yet.
      else worker?.process.kill('SIGKILL');
    }
    const endsAt = performance.now() + deadlineMs;
    while (this.#running().length > 0 && performance.now() < endsAt) await sleep(10);
    const cutOff = this.#running();
    for (const worker of cutOff) worker.process.kill('SIGKILL');
    while (this.#running().length > 0) await sleep(10);
    return cutOff.length === 0 && !this.#hasLostRequests;
  }

  /** Lets the pool of each worker, of those to come too, open so many connections at most. */
  limitPools(max: number): void {
    this.#poolLimit = max;
    for (const { worker, readyAt } of this.#slots) if (worker && readyAt !== undefined) tellWorker(worker, { kind: 'limit-pool', max });
  }

  /** The metrics of the workers that answer within a second. */
  async collectMetrics(names?: readonly string[]): Promise<WorkerMetrics[]> {
    const answers = await this.#metrics.ask(this.#ready(), (request) => ({ kind: 'collect', request, ...(names && { names }) }));
    return answers.map(({ worker, answer: { metrics } }) => ({ worker, metrics }));
  }

  /** Lets every worker go over to the log files that are under their paths now. @returns what those write that answer within a second */
  async reopenLogs(): Promise<Reopened> {
    const asked = this.#ready();
    return whoReopened(asked, await this.#reopenings.ask(asked, (request) => ({ kind: 'reopen', request })));
  }

  status(): { readonly ready: number; readonly restarts: number } {
    return { ready: this.#slots.filter(({ readyAt }) => readyAt !== undefined).length, restarts: this.#restarts };
  }

  #ready(): AnsweringWorker[] {
    return this.#slots.flatMap(({ number, worker, readyAt }) => (worker && readyAt ? [{ number, worker }] : []));
  }

  #running(): Worker[] {
    return this.#slots.flatMap(({ worker }) => worker ?? []);
  }

  #fork(slot: Slot): void {
    const worker = cluster.fork({ ...workerMalloc, ...this.#options.env, [workerSlotVariable]: String(slot.number) });
    Object.assign(slot, { worker, readyAt: undefined, lastBeatAt: performance.now() });
    let startError: AppError | undefined;
    worker.on('message', (message: WorkerMessage) => {
      slot.lastBeatAt = performance.now();
      if (message.kind === 'failed') startError = startErrorFrom(message.problems, message.exitCode);
      else this.#receive(slot, worker, message);
    });
    worker.on('error', (err) => this.#options.logger.error({ worker: slot.number, err }, 'talking to a worker failed'));
    worker.once('exit', (code, signal) => this.#onExit(slot, { code, signal, startError }));
  }

  #receive(slot: Slot, worker: Worker, message: WorkerMessage): void {
    if (message.kind === 'take') {
      tellWorker(worker, { kind: 'taken', batch: message.batch, verdicts: this.#options.count(message.takes) });
    } else if (message.kind === 'metrics') {
      this.#metrics.receive(slot.number, message);
    } else if (message.kind === 'reopened') {
      this.#reopenings.receive(slot.number, message);
    } else if (message.kind === 'ready') {
      slot.readyAt = performance.now();
      this.#hasEverServed = true;
      if (this.#poolLimit !== undefined) tellWorker(worker, { kind: 'limit-pool', max: this.#poolLimit });
      this.#options.logger.info({ worker: slot.number, worker_pid: worker.process.pid }, 'worker ready');
      if (this.#slots.every(({ readyAt }) => readyAt !== undefined)) this.#started.resolve();
    }
  }

  #onExit(slot: Slot, exit: Exit): void {
    const livedMs = slot.readyAt === undefined ? undefined : performance.now() - slot.readyAt;
    const { hasEverServed, isDraining } = { hasEverServed: this.#hasEverServed, isDraining: this.#isDraining };
    Object.assign(slot, { worker: undefined, readyAt: undefined });
    const how = exit.signal ? `was ended by ${exit.signal}` : `ended with status ${exit.code}`;
    const decision = restartDecision({ hasEverServed, isDraining, livedMs, deathsInARow: slot.deathsInARow });
    switch (decision.action) {
      case 'leave':
        this.#hasLostRequests ||= livedMs !== undefined && exit.code !== 0;
        return;
      case 'give-up':
        this.#started.reject(exit.startError ?? new WorkerStartError(`an API worker ${how} before it was ready`));
        return;
      case 'restart':
        this.#restarts += 1;
        slot.deathsInARow = decision.failuresInARow;
        this.#options.logger.error(
          { worker: slot.number, how, reason: decision.reason, problem: exit.startError?.message, restart_in_ms: decision.delayMs },
          'worker ended and is replaced',
        );
        setTimeout(() => {
          if (!this.#isDraining) this.#fork(slot);
        }, decision.delayMs);
        return;
      default:
        decision satisfies never;
    }
  }
}
