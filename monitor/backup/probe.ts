import { messageOf } from '#lib/errors.ts';
import { showDuration } from '#lib/show.ts';
import { doesNotRestore, type BackupOverview } from './job.ts';
import { MonitorFaultError, type Probe, type ProbeReport } from '../probes/probe.ts';
import type { Sentence } from '../words/sentence.ts';

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

const nextStep: Sentence = { code: 'seeBackups' };

/** A first backup, and one that was missed while no monitor ran, gets this long before its absence is told. */
const catchUpMs = 3_600_000;

/**
 * What the catalogue says. A failure is told as soon as it has happened; a backup that is merely too old, once the monitor
 * has had the time to make one. Before the first verified backup the age counts from the first attempt. Pure.
 */
export function judgeBackups(overview: BackupOverview, maxAgeMs: number, now: number): ProbeReport {
  const { backups, newestVerifiedAt, lastFailure, watchedSince, startedAt } = overview;
  const ageMs = now - (newestVerifiedAt ?? watchedSince);
  const age =
    newestVerifiedAt === undefined
      ? `no verified backup yet, after ${showDuration(ageMs)}`
      : `newest verified backup is ${showDuration(ageMs)} old`;
  if (lastFailure !== undefined) {
    const cause: Sentence = { code: lastFailure.includes(doesNotRestore) ? 'backupUnfit' : 'backupFailed' };
    return { outcome: 'failed', cause, detail: `${lastFailure}; ${age}`, nextStep };
  }
  if (ageMs > maxAgeMs) {
    const detail = `${age}, more than ${showDuration(maxAgeMs)}`;
    const areTaken = backups.some(({ takenAt }) => Date.parse(takenAt) > (newestVerifiedAt ?? 0));
    const cause: Sentence = { code: 'backupsUnproven', forMs: ageMs, areTaken };
    if (now - startedAt >= catchUpMs) return { outcome: 'failed', cause, detail, nextStep };
    return { outcome: 'degraded', cause, detail: `${detail}; the missed one is being caught up`, nextStep };
  }
  if (newestVerifiedAt !== undefined) return { outcome: 'ok', detail: age };
  return ageMs < catchUpMs ? { outcome: 'ok', detail: 'the first backup is due' } : { outcome: 'degraded', detail: age };
}
