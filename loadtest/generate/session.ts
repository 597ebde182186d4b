import { redactText } from '#lib/redact.ts';
import { createHistogram, encodeHistogram, recordMs } from '../measurement/histogram.ts';
import { maxSlowest, mergeSlowest } from '../measurement/merge.ts';
import type { FailureKind, Outcome, Slice, TimingBand } from '../measurement/measurement.ts';
import { maxWitnesses, type Witness } from '../measurement/witness.ts';
import type { Exchange, Received } from './connection.ts';
import { createRecorder } from './recorder.ts';
import type { Ruling, Step, User } from './step.ts';
import { createTimingRecorder, parseServerTiming } from './timing-recorder.ts';

type Unanswered = Exclude<Exchange, { kind: 'answer' }>;

/** What one generator process hands over at the end. */
export type SessionResult = {
  readonly slices: readonly Slice[];
  readonly serverTimings: readonly TimingBand[];
  readonly outsideServer: string;
  readonly failures: readonly FailureKind[];
  readonly slowest: readonly Witness[];
  readonly sendLag: string;
};

/** Takes down what one generator process does; whichever way requests are sent, they are entered here. */
export type Session = {
  readonly sent: (step: Step) => void;
  readonly answered: (user: User, step: Step, received: Received) => void;
  /** No complete answer came. */
  readonly failed: (user: User, step: Step, exchange: Unanswered) => void;
  /** A request meant for a certain moment left that much later. */
  readonly sentLate: (ms: number) => void;
  /** Of the run, counted on from the phases before. */
  readonly second: () => number;
  readonly takeSlices: () => Slice[];
  readonly close: () => SessionResult;
};

export type SessionOptions = {
  /** Seconds of the run before this phase. */
  readonly startSecond: number;
  /** Nothing before that is kept of the server's timings, the slowest answers and the client's lag. */
  readonly warmUpMs: number;
  /** On a server that does nothing every answer is as good as another. */
  readonly isRehearsal: boolean;
};

export function createSession({ startSecond, warmUpMs, isRehearsal }: SessionOptions): Session {
  const recorder = createRecorder(startSecond);
  const timings = createTimingRecorder();
  const failures = createFailureKinds();
  const sendLag = createHistogram();
  const firstSecond = startSecond + Math.ceil(warmUpMs / 1_000);
  const isMeasured = (): boolean => recorder.second() >= firstSecond;
  let slowest: Witness[] = [];

  const noteSlow = (witness: Witness): void => {
    slowest.push(witness);
    // Cut back now and then, so that the list stays short however long the run.
    if (slowest.length > 50 * maxSlowest) slowest = mergeSlowest(slowest);
  };

  return {
    sent: (step) => recorder.sent(step.endpoint),
    answered: (user, step, received) => {
      const ruling = ruleOn(user, step, received, isRehearsal);
      recorder.settled(step.endpoint, ruling.outcome, received.ms);
      const timing = isMeasured() ? parseServerTiming(received.serverTiming) : undefined;
      if (timing) timings.record(step.endpoint, received.ms, timing);
      const witness = (): Witness => witnessOf(recorder.second(), step, received, ruling);
      if (ruling.outcome !== 'ok' && ruling.outcome !== 'refused')
        failures.add(step, ruling.outcome, received.status, ruling.fault ?? `status ${received.status}`, witness);
      else if (isMeasured() && recorder.isSlow(step.endpoint, received.ms)) noteSlow(witness());
    },
    failed: (user, step, exchange) => {
      user.unanswered(step);
      const outcome: Outcome = exchange.kind === 'broken-answer' ? 'wrong-answer' : exchange.kind;
      const status = exchange.kind === 'broken-answer' ? exchange.status : null;
      recorder.settled(step.endpoint, outcome, exchange.ms);
      const received = exchange.kind === 'broken-answer' ? { received: beginningOf(exchange.received) } : {};
      const witness = {
        says: exchange.detail,
        about: {},
        endpoint: step.endpoint,
        second: recorder.second(),
        latencyMs: exchange.ms,
        ...received,
      };
      failures.add(step, outcome, status, exchange.detail, () => witness);
    },
    sentLate: (ms) => {
      if (isMeasured()) recordMs(sendLag, ms);
    },
    second: recorder.second,
    takeSlices: () => recorder.take(),
    close: () => ({
      slices: recorder.take(true),
      ...timings.result(),
      failures: failures.kinds(),
      slowest: mergeSlowest(slowest),
      sendLag: encodeHistogram(sendLag),
    }),
  };
}

function ruleOn(user: User, step: Step, answer: Received, isRehearsal: boolean): Ruling {
  const ruling = user.answered(step, answer);
  return isRehearsal ? { outcome: 'ok' } : ruling;
}

const maxReceivedChars = 160;

const beginningOf = (body: string): string => redactText(body.slice(0, maxReceivedChars));

function witnessOf(second: number, { endpoint }: Step, received: Received, ruling: Ruling): Witness {
  const { status, requestId, ms, body } = received;
  return {
    says: ruling.says ?? ruling.fault ?? '',
    about: ruling.about ?? {},
    endpoint,
    second,
    status,
    latencyMs: ms,
    ...(requestId === undefined ? {} : { requestId }),
    ...(ruling.outcome === 'ok' || ruling.outcome === 'refused' ? {} : { received: beginningOf(body) }),
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
