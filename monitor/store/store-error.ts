import { AppError } from '#lib/errors.ts';

/** The monitor's own store cannot be read or written. A fault of the monitor, never evidence against a target. */
export class StoreError extends AppError {
  readonly code = 'MONITOR_STORE';
}
