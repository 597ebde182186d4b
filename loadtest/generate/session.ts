import { redactText } from '#lib/redact.ts';
import { createHistogram, encodeHistogram, recordMs } from '../measurement/histogram.ts';
import type { FailureKind, OrderAccount, Slice, TimingBand } from '../measurement/measurement.ts';
import { createOrderBook } from '../scenarios/shop/order-book.ts';
import { createRecorder } from './recorder.ts';
import { judgeAnswer, problemCode, type Answer, type Outcome, type Step } from '../scenarios/shop/answers.ts';
import { createTimingRecorder, parseServerTiming } from './timing-recorder.ts';

export type ReceivedAnswer = Answer & { readonly serverTiming: string | undefined; readonly requestId: string | undefined };

/** What one generator process hands over at the end. */
export type SessionResult = {
  readonly slices: readonly Slice[];
  readonly serverTimings: readonly TimingBand[];
  readonly outsideServer: string;
  readonly orders: OrderAccount;
  readonly failures: readonly FailureKind[];
  readonly sendLag: string;
};

/** The books of one generator process; whichever way requests are sent, they are entered here. */
export type Session = {
  readonly sent: (step: Step) => void;
  readonly answered: (step: Step, answer: ReceivedAnswer, ms: number) => void;
  /** No answer came: the time ran out, or the connection failed. */
  readonly failed: (step: Step, outcome: 'timeout' | 'connection-error', ms: number, detail: string) => void;
  /** A request meant for a certain moment left that much later. */
  readonly sentLate: (ms: number) => void;
  readonly second: () => number;
  readonly takeSlices: () => Slice[];
  readonly close: () => SessionResult;
};

/** Further kinds are still counted as errors, but not described. */
const maxFailureKinds = 100;

/** @param warmUpMs nothing before that is recorded of the server's timings and the client's lag */
export function createSession(warmUpMs: number): Session {
  const recorder = createRecorder();
  const timings = createTimingRecorder();
  const book = createOrderBook();
  const failures = createFailureKinds();
  const sendLag = createHistogram();
  const isMeasured = (): boolean => recorder.second() >= Math.ceil(warmUpMs / 1_000);

  return {
    sent: (step) => {
      book.sent(step);
      recorder.sent(step.endpoint);
    },
    answered: (step, answer, ms) => {
      const outcome = judgeAnswer(step.expects, answer);
      book.answered(step, outcome, answer.body);
      recorder.settled(step.endpoint, outcome, ms);
      const timing = isMeasured() ? parseServerTiming(answer.serverTiming) : undefined;
      if (timing) timings.record(step.endpoint, ms, timing);
      if (outcome !== 'ok' && outcome !== 'refused') failures.add(recorder.second(), step, outcome, describe(answer), answer);
    },
    failed: (step, outcome, ms, detail) => {
      recorder.settled(step.endpoint, outcome, ms);
      failures.add(recorder.second(), step, outcome, detail);
    },
    sentLate: (ms) => {
      if (isMeasured()) recordMs(sendLag, ms);
    },
    second: recorder.second,
    takeSlices: () => recorder.take(),
    close: () => ({
      slices: recorder.take(true),
      ...timings.result(),
      orders: book.account(),
      failures: failures.kinds(),
      sendLag: encodeHistogram(sendLag),
    }),
  };
}

function describe(answer: Answer): string {
  const code = problemCode(answer.body);
  return code ?? redactText(answer.body.slice(0, 120));
}

function createFailureKinds() {
  const kinds = new Map<string, FailureKind>();
  const add = (second: number, step: Step, outcome: Outcome, detail: string, answer?: ReceivedAnswer): void => {
    const key = `${step.endpoint} ${outcome} ${answer?.status ?? ''} ${detail}`;
    const known = kinds.get(key);
    if (known) kinds.set(key, { ...known, count: known.count + 1 });
    else if (kinds.size < maxFailureKinds) {
      const { endpoint } = step;
      kinds.set(key, {
        endpoint,
        outcome,
        status: answer?.status ?? null,
        detail,
        count: 1,
        firstSecond: second,
        requestId: answer?.requestId ?? null,
      });
    }
  };
  return { add, kinds: () => [...kinds.values()] };
}
