import type { Label } from '../words/labels.ts';
import type { Sentence } from '../words/sentence.ts';

/** What people are shown. `unknown` says that the monitor itself cannot tell. */
export type HealthStatus = 'up' | 'degraded' | 'down' | 'unknown';

/** The last settled judgement of a target; `none` before the first one. The monitor's own faults never change it. */
export type Verdict = 'up' | 'degraded' | 'down' | 'none';

/** A moment on both clocks: `at`, ms of the epoch, is shown and stored; `clockMs` never jumps, and only it is compared. */
export type Moment = { readonly at: number; readonly clockMs: number };

/** Both clocks of a process; a parameter, so that tests can turn them. */
export type Clock = () => Moment;

/** The clocks of this machine. */
export const systemClock: Clock = () => ({ at: Date.now(), clockMs: performance.now() });

/** A label and its value for people, each on one line and without a secret. */
export type Fact = readonly [label: Label, value: Sentence];

/** What a look found, in words for people. */
export type Finding = {
  /** One sentence: why it is so, where that is known. Holds no secret. */
  readonly cause?: Sentence;
  /** One line: what was seen. Holds no secret. */
  readonly detail: string;
  /** What else helps, such as which check of a body is critical. */
  readonly facts?: readonly Fact[];
  /** One line: where to look, or what to run, next. */
  readonly nextStep?: Sentence;
};

/**
 * One look at a target.
 * `failed` is evidence against the target; `faulty` says that the monitor could not look, and is evidence of nothing.
 */
export type ProbeResult = Finding & {
  readonly outcome: 'ok' | 'degraded' | 'failed' | 'faulty';
  /** There was no answer at all in time, as of something that hangs; nothing that refuses is silent. */
  readonly isSilent?: true;
  readonly latencyMs: number;
  /** When the look began, in ms of the epoch. */
  readonly at: number;
  /** When the look began, in ms of a clock that never jumps; only differences mean anything. */
  readonly clockMs: number;
};

export type Thresholds = {
  /** Consecutive failures that make a target `down`. */
  readonly failures: number;
  /** Consecutive answers that bring it back from `down`. */
  readonly successes: number;
};

/** What a series of looks has come to. */
export type Health = {
  readonly verdict: Verdict;
  /** Since when the verdict holds. */
  readonly since: Moment;
  /** When it last came back from being down, on whose grace time others follow; undefined while nothing tells of it. */
  readonly backSince: Moment | undefined;
  /** Consecutive failures and consecutive answers up to now; one of them is 0. */
  readonly failures: number;
  readonly successes: number;
  /** First failure of the present streak. */
  readonly failingSince: Moment | undefined;
  /** Since when this process has waited for it to be up for the first time; undefined once it was. */
  readonly awaitedSince: Moment | undefined;
  /** Start of the last look that was evidence of something. */
  readonly conclusiveAt: Moment | undefined;
  /** Why the monitor cannot tell at present, and since when. */
  readonly fault: string | undefined;
  readonly faultySince: Moment | undefined;
  /** When the target went down or came back lately, on the clock that never jumps; oldest first. */
  readonly turnsMs: readonly number[];
  /** The last looks of this process, oldest first. */
  readonly recent: readonly ProbeResult[];
};
