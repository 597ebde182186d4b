import type { Measurement } from '../measurement/measurement.ts';
import { judgeAccounts } from './accounting.ts';
import type { Check } from './check.ts';
import { judgeInstrument } from './instrument.ts';
import type { Thresholds } from './thresholds.ts';

/** Whether the figures can be believed at all: could the client, its machine or its quota have made them? */
export function judgeInnocence(measurement: Measurement, thresholds: Thresholds): Check[] {
  return [...judgeAccounts(measurement), ...judgeInstrument(measurement, thresholds)];
}
