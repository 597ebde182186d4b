import type { Outcome } from '../measurement/measurement.ts';

/** One request of a user's script, complete before it is sent. */
export type Step = {
  /** Its name in every table and chart, such as `GET /products/:id`. */
  readonly endpoint: string;
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path and query. */
  readonly path: string;
  /** JSON text. */
  readonly body?: string;
  /** The user's credential among them. */
  readonly headers: Readonly<Record<string, string>>;
};

export type Answer = {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
};

/** What an answer is worth, by somebody who knows what it must hold. */
export type Ruling = {
  readonly outcome: Exclude<Outcome, 'timeout' | 'connection-error'>;
  /** What is wrong, in words that are the same for all answers wrong in this way; undefined where nothing is. */
  readonly fault?: string;
  /** What is wrong with this one, in one line; default: `fault`. */
  readonly says?: string;
  /** What it is about, by name, for the witness: `{ order: 17, key: 'lt-…-3-4' }`. */
  readonly about?: Readonly<Record<string, string | number>>;
};

/** One pretended person: a path through the target, and a memory of what it was told. */
export type User<S extends Step = Step> = {
  /** Its next request; asked for the moment before it is sent, and always sent. */
  next(): S;
  /** Never throws, whatever a server sends. @param step that was asked of this very user */
  answered(step: S, answer: Answer): Ruling;
  /** No answer came, and none will. */
  unanswered(step: S): void;
  /** False where the target cannot tell it from others: a 429 may then be the doing of all together. Default: true. */
  readonly hasOwnQuota?: false;
  /** What was received, without this user's secrets; default: as it is. */
  hide?(text: string): string;
};

/** The users of one generator process, and what they know together. */
export type Crowd = {
  /**
   * @param index of the user over all processes: user 17 does the same whichever process plays it
   * @param facts what the scenario prepared for this user
   */
  readonly user: (index: number, facts: unknown) => User;
  /** Called once when all is over. */
  readonly close: () => void;
};

export type CrowdOptions = {
  readonly script: string;
  readonly seed: number;
  /** What the scenario prepared for all. */
  readonly facts: unknown;
  /** Writes something down for the scenario's judges: it becomes one of the measurement's events. */
  readonly record: (event: unknown) => void;
};

/** What the module named by a scenario's `crowdFile` exports as `createCrowd`. */
export type CreateCrowd = (options: CrowdOptions) => Crowd;
