import { messageOf } from '#lib/errors.ts';
import { arrivalTimes, everyNth } from './arrivals.ts';
import { createRandom } from './random.ts';
import type { Phase, ProcessVitals, Slice } from '../measurement/measurement.ts';
import { driveUsers } from './closed-users.ts';
import type { Drive, DrivenUser } from './driver.ts';
import { driveArrivals } from './open-arrivals.ts';
import { watchProcess, type VitalsMonitor } from './process-vitals.ts';
import { createNotebook, type Notebook, type NotebookResult } from './notebook.ts';
import type { CreateCrowd, Crowd } from './step.ts';

/** Sent once by the parent; holds credentials, which therefore stand in no argument list. */
export type GeneratorJob = {
  readonly origin: string;
  readonly phase: Phase;
  readonly startSecond: number;
  readonly seed: number;
  readonly isRehearsal: boolean;
  /** Module of the scenario that exports `createCrowd`. */
  readonly crowdFile: string;
  readonly facts: unknown;
  /** Which of the phase's processes this is, from 0. */
  readonly process: number;
  /** The share of the users this process plays. */
  readonly users: readonly { readonly index: number; readonly facts: unknown }[];
};

export type GeneratorReport =
  | { readonly kind: 'second'; readonly second: number; readonly slices: readonly Slice[]; readonly events: readonly unknown[] }
  | {
      readonly kind: 'done';
      readonly result: NotebookResult;
      readonly events: readonly unknown[];
      readonly vitals: ProcessVitals;
      readonly inFlightAtEnd: number;
    }
  | { readonly kind: 'failed'; readonly message: string };

/** The whole life of a generator process: this file is what play-phase forks. */
async function play(job: GeneratorJob): Promise<void> {
  const { phase, origin, seed } = job;
  const { createCrowd } = (await import(job.crowdFile)) as { createCrowd: CreateCrowd };
  let events: unknown[] = [];
  const takeEvents = (): unknown[] => {
    const taken = events;
    events = [];
    return taken;
  };
  const crowd = createCrowd({ script: phase.script, seed, facts: job.facts, record: (event) => events.push(event) });
  const notebook = createNotebook({
    warmUpMs: phase.warmUpMs,
    isScheduled: phase.load.kind === 'open',
    startSecond: job.startSecond,
    isRehearsal: job.isRehearsal,
  });
  const vitals = watchProcess();
  const stop = new AbortController();
  const stopTimer = setTimeout(() => stop.abort(), phase.warmUpMs + phase.durationMs);
  const ticker = setInterval(everySecond(job, notebook, vitals, takeEvents), 1_000);
  try {
    const users = job.users.map((user) => drivenUser(crowd, job, user));
    const drive = { origin, users, notebook, timeoutMs: phase.timeoutMs, stop: stop.signal };
    const inFlightAtEnd = await driveLoad(job, drive);
    crowd.close();
    clearInterval(ticker);
    await report({ kind: 'done', result: notebook.close(), events: takeEvents(), vitals: vitals.close(), inFlightAtEnd });
  } finally {
    clearInterval(ticker);
    clearTimeout(stopTimer);
    stop.abort();
  }
}

function driveLoad({ phase, seed, process: place }: GeneratorJob, drive: Drive): Promise<number> {
  const { load, warmUpMs, processes } = phase;
  if (load.kind !== 'open') return driveUsers(drive, arrivalMs(phase));
  const times = arrivalTimes(load, warmUpMs, createRandom(seed, arrivalStream));
  return driveArrivals(drive, everyNth(times, processes, place));
}

/** Users have the streams 2 × index and 2 × index + 1, and some of a scenario's choices those below 0. */
const arrivalStream = 0x4000_0001;

/** Most of the warm-up, so that the last to come has some of it too; but not longer than a pause. */
const arrivalShare = 0.6;

const arrivalMs = ({ load, warmUpMs }: Phase): number => Math.min(arrivalShare * warmUpMs, load.kind === 'closed' ? load.thinkMs[1] : 0);

/** Pauses have a stream of random numbers of their own: another think time leaves the requests as they are. */
function drivenUser(crowd: Crowd, { phase, seed }: GeneratorJob, { index, facts }: GeneratorJob['users'][number]): DrivenUser {
  const user = crowd.user(index, facts);
  if (phase.load.kind !== 'closed') return { user, thinkMs: () => 0 };
  const random = createRandom(seed, 2 * index + 1);
  const [least, most] = phase.load.thinkMs;
  return { user, thinkMs: () => least + random() * (most - least) };
}

function everySecond(
  { phase, startSecond }: GeneratorJob,
  notebook: Notebook,
  vitals: VitalsMonitor,
  takeEvents: () => unknown[],
): () => void {
  const firstSecond = startSecond + Math.ceil(phase.warmUpMs / 1_000);
  let ended = -1;
  return () => {
    const second = notebook.second() - 1;
    if (second > ended) vitals.endSecond(second, second >= firstSecond);
    ended = second;
    void report({ kind: 'second', second, slices: notebook.takeSlices(), events: takeEvents() });
  };
}

/** Resolves once it has left this process: what is under way when the process lets go of its parent would be cut. */
const report = (message: GeneratorReport): Promise<void> =>
  new Promise((resolve) => {
    process.send?.(message, () => resolve());
  });

// Nobody hears any more what is measured; its parent may have been killed.
process.once('disconnect', () => process.exit());

process.once('message', (job: GeneratorJob) => {
  play(job)
    .catch((err: unknown) => report({ kind: 'failed', message: messageOf(err) }))
    .finally(() => process.disconnect());
});
