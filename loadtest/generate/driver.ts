import type { Notebook } from './notebook.ts';
import type { User } from './step.ts';

/** A user and the moments it pauses for. */
export type DrivenUser = {
  readonly user: User;
  /** Milliseconds to think before the next request; 0 where users never pause. */
  readonly thinkMs: () => number;
};

export type Drive = {
  readonly origin: string;
  readonly users: readonly DrivenUser[];
  /** Where everything that happens is entered. */
  readonly notebook: Notebook;
  readonly timeoutMs: number;
  /** Users arrive one after the other over this long. */
  readonly arrivalMs: number;
  /** When it fires, nobody sends anything more; what is under way is still answered. */
  readonly stop: AbortSignal;
};

/**
 * Makes a load of users: decides when which user sends its next request, and sends it.
 * @returns how many requests had no outcome when it gave up waiting: 0 unless a timer failed
 */
export type Driver = (drive: Drive) => Promise<number>;
