import type { Measurement } from '../measurement/measurement.ts';
import type { Highlight } from '../judge/figures.ts';
import type { HttpClient } from '../targets/http-client.ts';
import type { Target } from '../targets/target.ts';

/**
 * What is done to a target and what is right there. A scenario alone knows the words of its target; generators, observers,
 * judges of speed and reports know none of them. A run goes: prepare → users follow its scripts → rest → books → clean up.
 */
export type Scenario = {
  readonly name: string;
  /** Module that every generator process loads; exports `createCrowd: CreateCrowd`. */
  readonly crowdFile: string;
  /** Module that, forked, serves right answers doing nothing and sends `{ origin }`: what remains then is the client's own time. */
  readonly nullServerFile: string;
  /** Disturbances that can be mixed in, each with the one line --help says of it. They change an own stack only. */
  readonly mixes: Readonly<Record<string, string>>;
  /** What a run does to a target that others use, and leaves there, told beforehand; undefined: nothing is known to stay. */
  readonly leaves?: string;
  /** The same for k6, where somebody wrote it. */
  readonly k6?: () => K6Scenario;
  /** Figures of its own that a report shows beside speed and errors. */
  readonly highlights: (measurement: Measurement) => readonly Highlight[];
  /** What its books come to, where they are too much to be read whole. */
  readonly tellBooks?: (measurement: Measurement) => object | null;
  /**
   * Sets up what a run needs.
   * Leaves nothing behind in the target when it fails.
   * @throws {ConfigError} when the target refuses the credential; {SetUpError} when it answers wrongly; {UnreachableError}
   */
  readonly prepare: (target: Target, request: PrepareRequest) => Promise<Stage>;
};

/** A scenario in k6's words. */
export type K6Scenario = {
  /** Text of a k6 script that follows `const plan = { target, users, thinkMs, timeoutMs, …facts }` and exports setup, teardown and default. */
  readonly script: string;
  /** What it is told besides: plain data. */
  readonly facts: Readonly<Record<string, unknown>>;
  /** Each endpoint as the script tags it. */
  readonly endpoints: readonly string[];
};

export type PrepareRequest = {
  /** Unique; stands in whatever the run leaves in the target. */
  readonly runId: string;
  readonly users: number;
  readonly mix: readonly string[];
  /** What it sends its requests with: errors met there are taken down and asked again where that can help. */
  readonly http: HttpClient;
};

/** A target made ready for one run. */
export type Stage = {
  /** Given to every generator process; plain data. */
  readonly facts: unknown;
  /** One for each user, in order; plain data, may hold secrets. */
  readonly users: readonly unknown[];
  /** Further users, none of whom has been given before. @throws as `prepare` does */
  readonly enroll: (count: number) => Promise<readonly unknown[]>;
  /** Endpoints that are slow on purpose. */
  readonly disturbed: readonly string[];
  /** Reads the target's books once it is at rest. Never rejects: what could not be read is said inside. */
  readonly readBooks: () => Promise<unknown>;
  /** Undoes what can be undone. @returns what the run leaves in the target, one phrase each */
  readonly cleanUp: () => Promise<readonly string[]>;
};
