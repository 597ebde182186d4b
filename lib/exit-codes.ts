/** Exit codes, the same in every command line of the project (DESIGN §2). Numbers of sysexits.h where one fits. */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 64,
  unreachable: 69,
  /** A lock is held by another run; in the load test: the measurement is INVALID. */
  busy: 75,
  config: 78,
  thresholdsFailed: 99,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
