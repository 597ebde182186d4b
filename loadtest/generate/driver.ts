import type { Notebook } from './notebook.ts';
import type { User } from './step.ts';

/** A user and the moments it pauses for. */
export type DrivenUser = {
  readonly user: User;
  /** Milliseconds to think before the next request; 0 where users never pause. */
  readonly thinkMs: () => number;
};

/**
 * What a driver makes a load with: it decides when which user sends its next request, and sends it. It resolves with how many
 * requests had no outcome when it gave up waiting: 0 unless a timer failed.
 */
export type Drive = {
  readonly origin: string;
  readonly users: readonly DrivenUser[];
  /** Where everything that happens is entered. */
  readonly notebook: Notebook;
  readonly timeoutMs: number;
  /** When it fires, nobody sends anything more; what is under way is still answered. */
  readonly stop: AbortSignal;
};
