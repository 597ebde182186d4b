import { AppError } from '#lib/errors.ts';

/** What a look at a target found. `detail` is one line for people and holds no secret. */
export type ProbeReport = {
  readonly outcome: 'ok' | 'degraded' | 'failed';
  readonly detail: string;
};

/**
 * Looks at a target once. Resolves with what the target shows, an unreachable one included.
 * The signal fires when time is up; what the look opened must then be closed.
 * @throws {MonitorFaultError} when the monitor itself could not look
 */
export type Probe = (signal: AbortSignal) => Promise<ProbeReport>;

/** The monitor could not look: its own resolver, credentials or machine failed. Says nothing about the target. */
export class MonitorFaultError extends AppError {
  readonly code = 'MONITOR_FAULT';
}
