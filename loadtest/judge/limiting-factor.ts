import { showCountOf, showDuration, showShare } from '#lib/show.ts';
import { attributeLatency, type Attribution } from './attribution.ts';
import { windowOf } from './figures.ts';
import { exhaustedShare } from './slowness.ts';
import type { MachineSample, Measurement, TimingPart } from '../measurement/measurement.ts';

const namesOf: Record<TimingPart | 'outside', string> = {
  queue:
    'requests waited before their handler, where the credential is checked (which takes a connection too), the rate limit and the body',
  pool: 'requests waited for a database connection',
  db: 'the database took its time',
  app: "the API's own code took its time",
  outside: 'the time passed before the server’s clock started or after it stopped: full accept queue, busy machine or network',
};

/** One sentence on what made the answers slow, for people who have to mend it; undefined when nothing is known. Pure. */
export function limitingFactor(measurement: Measurement): string | undefined {
  const attribution = attributeLatency(
    measurement.phases.flatMap(({ serverTimings }) => serverTimings).filter(({ endpoint }) => !measurement.disturbed.includes(endpoint)),
  );
  const known = [
    describeFrozenWorkers(measurement),
    describePool(measurement),
    describeMachine(measurement),
    attribution && describeLargest(attribution),
  ];
  return known.filter((text) => text !== undefined).join('; ') || undefined;
}

function describeLargest(attribution: Attribution): string {
  const [name, share] = Object.entries(attribution).reduce((a, b) => (b[1] > a[1] ? b : a)) as [keyof Attribution, number];
  return `${namesOf[name]} (${name}: ${showShare(share)} of the slowest 5 %)`;
}

/** Workers whose event loop did not turn for as long as an answer may take at most. */
function describeFrozenWorkers({ samples, budget }: Measurement): string | undefined {
  const frozen = samples.flatMap(({ second, workers }) =>
    workers.filter(({ loopDelayMs }) => loopDelayMs >= budget.p99Ms).map(({ worker, loopDelayMs }) => ({ second, worker, loopDelayMs })),
  );
  const worst = frozen.toSorted((a, b) => b.loopDelayMs - a.loopDelayMs)[0];
  if (worst === undefined) return undefined;
  const workers = [...new Set(frozen.map(({ worker }) => worker))].toSorted();
  const [who, whose] = workers.length === 1 ? ['worker', 'its event loop'] : ['workers', `the event loop of worker ${worst.worker}`];
  return `${who} ${workers.join(', ')} stood still: ${whose} was ${showDuration(worst.loopDelayMs)} late in second ${worst.second}`;
}

/** A pool counts as full when at most one connection in twenty is free. */
const fullShare = 0.95;

function describePool(measurement: Measurement): string | undefined {
  const windows = measurement.phases.map(windowOf);
  const pools = measurement.samples
    .filter(({ second }) => windows.some(({ from, to }) => second >= from && second < to))
    .flatMap(({ pool }) => pool ?? []);
  const full = pools.filter(({ inUse, capacity }) => inUse >= fullShare * capacity);
  const capacity = Math.max(...pools.map((pool) => pool.capacity));
  if (full.length === 0 || full.length < pools.length / 2) return undefined;
  const all = capacity === 1 ? 'the only pool connection was' : `all ${capacity} pool connections were`;
  return `${all} in use in ${full.length} of ${showCountOf(pools.length, 'second')}: raise DB_POOL_SIZE/DB_MAX_OVERFLOW or shorten what holds them`;
}

/** Whose CPU it was, where the machine had none left for most of the time. */
function describeMachine({ machine }: Measurement): string | undefined {
  const cpus = machine.flatMap(({ cpu }) => cpu ?? []);
  const exhausted = cpus.filter(({ busy }) => busy >= exhaustedShare);
  if (cpus.length === 0 || exhausted.length < cpus.length / 2) return undefined;
  const mean = (read: (cpu: NonNullable<MachineSample['cpu']>) => number): string =>
    showShare(exhausted.reduce((sum, cpu) => sum + read(cpu), 0) / exhausted.length);
  const shares = `service ${mean(({ target }) => target ?? 0)}, load test ${mean(({ own }) => own)}, others ${mean(({ others }) => others)}`;
  return `this machine had no CPU left in ${exhausted.length} of ${showCountOf(cpus.length, 'second')} (${shares})`;
}
