import { messageOf } from '#lib/errors.ts';
import { shortDuration } from '../model/show.ts';
import type { BackupOverview } from './job.ts';
import { MonitorFaultError, type Probe, type ProbeReport } from '../probes/probe.ts';

/** A probe over the catalogue of backups: only a verified one counts. */
export function backupProbe(
  overview: () => Promise<BackupOverview>,
  limits: { readonly maxAgeMs: number; readonly now: () => number },
): Probe {
  return async () => {
    const seen = await overview().catch((err: unknown) => {
      throw new MonitorFaultError(`the catalogue of backups cannot be read: ${messageOf(err)}`, { cause: err });
    });
    return judgeBackups(seen, limits.maxAgeMs, limits.now());
  };
}

/** A first backup gets this long before its absence is told. */
const firstBackupMs = 3_600_000;

/** What the catalogue says. Before the first verified backup the age counts from the first attempt. Pure. */
export function judgeBackups(overview: BackupOverview, maxAgeMs: number, now: number): ProbeReport {
  const { newestVerifiedAt, lastFailure, watchedSince } = overview;
  const ageMs = now - (newestVerifiedAt ?? watchedSince);
  const age =
    newestVerifiedAt === undefined
      ? `no verified backup yet, after ${shortDuration(ageMs)}`
      : `newest verified backup is ${shortDuration(ageMs)} old`;
  const problem = lastFailure === undefined ? '' : `; last attempt: ${lastFailure}`;
  if (ageMs > maxAgeMs) return { outcome: 'failed', detail: `${age}, more than ${shortDuration(maxAgeMs)}${problem}` };
  if (newestVerifiedAt === undefined && lastFailure === undefined && ageMs < firstBackupMs)
    return { outcome: 'ok', detail: 'the first backup is due' };
  if (newestVerifiedAt === undefined || lastFailure !== undefined) return { outcome: 'degraded', detail: age + problem };
  return { outcome: 'ok', detail: age };
}
