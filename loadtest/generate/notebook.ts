import { redactText } from '#lib/redact.ts';
import { createHistogram, encodeHistogram, recordMs } from '../measurement/histogram.ts';
import { mergeSlowest } from '../measurement/merge.ts';
import type { Arrivals, FailureKind, Outcome, Slice, TimingBand } from '../measurement/measurement.ts';
import { maxReceivedChars, maxWitnesses, type Witness } from '../measurement/witness.ts';
import type { Exchange, Received } from './connection.ts';
import { createSendCounter, parseQuotas, unusedQuota, type SendCounter } from './quota.ts';
import { createRecorder } from './recorder.ts';
import type { Ruling, Step, User } from './step.ts';
import { createTimingRecorder, parseServerTiming } from './timing-recorder.ts';

type Unanswered = Exclude<Exchange, { kind: 'answer' }>;

/** What one generator process hands over at the end. */
export type NotebookResult = {
  readonly slices: readonly Slice[];
  readonly serverTimings: readonly TimingBand[];
  readonly outsideServer: string;
  readonly failures: readonly FailureKind[];
  readonly slowest: readonly Witness[];
  readonly sendLag: string;
  readonly arrivals: Arrivals;
};

/** Takes down what one generator process does; whichever way requests are sent, they are entered here. */
export type Notebook = {
  readonly sent: (user: User, step: Step) => void;
  /** @param lateMs it was sent that long after the moment meant for it, and counts as that much slower; default: none was meant */
  readonly answered: (user: User, step: Step, received: Received, lateMs?: number) => void;
  /** No complete answer came. */
  readonly failed: (user: User, step: Step, exchange: Unanswered, lateMs?: number) => void;
  /** A request was due by the schedule; it is sent or dropped. */
  readonly arrived: () => void;
  readonly dropped: () => void;
  /** A request meant for a certain moment left that much later. */
  readonly sentLate: (ms: number) => void;
  /** Of the run, counted on from the phases before. */
  readonly second: () => number;
  readonly takeSlices: () => Slice[];
  readonly close: () => NotebookResult;
};

export type NotebookOptions = {
  /** Seconds of the run before this phase. */
  readonly startSecond: number;
  /** Nothing before that is kept of the server's timings, the slowest answers and the client's lag. */
  readonly warmUpMs: number;
  /** Whether requests have moments of their own to be sent at; the time from sending alone is then kept too. */
  readonly isScheduled?: boolean;
  /** On a server that does nothing every answer is as good as another. */
  readonly isRehearsal: boolean;
  /** Milliseconds that only grow; default: of this process. */
  readonly now?: () => number;
};

/** Then the list is cut back to the slowest, so that it stays short however long the run. */
const maxSlowNotes = 500;

export function createNotebook({
  startSecond,
  warmUpMs,
  isScheduled = false,
  isRehearsal,
  now = () => performance.now(),
}: NotebookOptions): Notebook {
  const recorder = createRecorder({ startSecond, isScheduled, now });
  const timings = createTimingRecorder();
  const failures = createFailureKinds();
  const sendLag = createHistogram();
  const firstSecond = startSecond + Math.ceil(warmUpMs / 1_000);
  const counters = new WeakMap<User, SendCounter>();
  let slowest: Witness[] = [];
  let due = 0;
  const drops = new Map<number, number>();

  const counterOf = (user: User): SendCounter => {
    const known = counters.get(user);
    if (known) return known;
    const counter = createSendCounter();
    counters.set(user, counter);
    return counter;
  };
  /** A refusal of the rate limit is honest once the quota it names is used up; before, it is an error of the limiter's. */
  const ruleOn = (user: User, step: Step, received: Received): Ruling => {
    const ruling = user.answered(step, received);
    if (ruling.outcome !== 'limited' || user.hasOwnQuota === false) return ruling;
    const sentWithin = (seconds: number): number => counterOf(user).within(seconds, recorder.second());
    const unused = unusedQuota(parseQuotas(received.headers['ratelimit-policy']), sentWithin);
    if (unused === undefined) return ruling;
    const { name, calls, periodSeconds } = unused;
    const says = `429 after at most ${sentWithin(periodSeconds)} of ${calls} requests in ${periodSeconds} s (policy "${name}")`;
    return { ...ruling, outcome: 'http-error', fault: `429 within the quota "${name}" of ${calls} in ${periodSeconds} s`, says };
  };

  const noteSlow = (witness: Witness): void => {
    slowest.push(witness);
    if (slowest.length > maxSlowNotes) slowest = mergeSlowest(slowest);
  };

  return {
    sent: (user, step) => {
      counterOf(user).sent(recorder.sent(step.endpoint));
    },
    answered: (user, step, received, lateMs = 0) => {
      const ruling = isRehearsal ? rehearse(user, step, received) : ruleOn(user, step, received);
      const ms = received.ms + lateMs;
      const second = recorder.settled(step.endpoint, ruling.outcome, ms, received.ms);
      const timing = second >= firstSecond ? parseServerTiming(received.headers['server-timing']) : undefined;
      if (timing) timings.record(step.endpoint, received.ms, timing);
      const witness = (): Witness => witnessOf(second, step, { ...received, ms, body: beginningOf(received.body, user) }, ruling);
      if (ruling.outcome !== 'ok' && ruling.outcome !== 'refused')
        failures.add(step, ruling.outcome, received.status, ruling.fault ?? `status ${received.status}`, witness);
      else if (second >= firstSecond && recorder.isSlow(step.endpoint, ms)) noteSlow(witness());
    },
    failed: (user, step, exchange, lateMs = 0) => {
      user.unanswered(step);
      const broken = exchange.kind === 'broken-answer' ? exchange : undefined;
      const outcome: Outcome = exchange.kind === 'broken-answer' ? 'wrong-answer' : exchange.kind;
      const ms = exchange.ms + lateMs;
      const second = recorder.settled(step.endpoint, outcome, ms, exchange.ms);
      failures.add(step, outcome, broken?.status ?? null, exchange.detail, () => ({
        says: exchange.detail,
        about: askedBy(step),
        endpoint: step.endpoint,
        second,
        latencyMs: ms,
        ...(broken?.requestId !== undefined && { requestId: broken.requestId }),
        ...(broken && { received: beginningOf(broken.received, user) }),
      }));
    },
    arrived: () => {
      due += 1;
    },
    dropped: () => drops.set(recorder.second(), (drops.get(recorder.second()) ?? 0) + 1),
    sentLate: (ms) => {
      if (recorder.second() >= firstSecond) recordMs(sendLag, ms);
    },
    second: recorder.second,
    takeSlices: () => recorder.take(),
    close: () => ({
      slices: recorder.take(true),
      ...timings.result(),
      failures: failures.kinds(),
      slowest: mergeSlowest(slowest),
      sendLag: encodeHistogram(sendLag),
      arrivals: { due, dropped: [...drops] },
    }),
  };
}

/** The answer is looked at all the same: what that costs the client belongs to what is measured. */
function rehearse(user: User, step: Step, received: Received): Ruling {
  user.answered(step, received);
  return { outcome: 'ok' };
}

/** Secrets are taken out before it is cut: half of one would not be known. */
const beginningOf = (body: string, user: User): string => redactText((user.hide?.(body) ?? body).slice(0, maxReceivedChars));

function witnessOf(second: number, { endpoint }: Step, received: Received, ruling: Ruling): Witness {
  const { status, ms, body } = received;
  const requestId = received.headers['x-request-id'];
  return {
    says: ruling.says ?? ruling.fault ?? '',
    about: ruling.about ?? {},
    endpoint,
    second,
    status,
    latencyMs: ms,
    ...(requestId === undefined ? {} : { requestId }),
    ...(ruling.outcome === 'ok' || ruling.outcome === 'refused' ? {} : { received: body }),
  };
}

/** Further kinds are still counted as errors, but not described. */
const maxFailureKinds = 100;

function createFailureKinds() {
  const kinds = new Map<string, FailureKind & { count: number; witnesses: Witness[] }>();
  return {
    add: (step: Step, outcome: Outcome, status: number | null, fault: string, witness: () => Witness): void => {
      const key = `${step.endpoint} ${outcome} ${status ?? ''} ${fault}`;
      const kind = kinds.get(key) ?? { endpoint: step.endpoint, outcome, status, fault, count: 0, witnesses: [] };
      if (kind.count === 0 && kinds.size >= maxFailureKinds) return;
      kinds.set(key, {
        ...kind,
        count: kind.count + 1,
        witnesses: kind.count < maxWitnesses ? [...kind.witnesses, witness()] : kind.witnesses,
      });
    },
    kinds: (): FailureKind[] => [...kinds.values()],
  };
}

/** Without an answer there is no request id: what was asked for is all that can be looked up. */
const askedBy = ({ path, headers }: Step): Witness['about'] => {
  const key = headers['idempotency-key'];
  return { path, ...(key !== undefined && { key }) };
};
