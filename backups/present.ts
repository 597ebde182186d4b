import { showBytes, showDuration } from '#lib/show.ts';
import type { BackupProgress } from './deps.ts';
import type { BackupSummary } from './set/catalogue.ts';
import type { RestoreResult } from './restore.ts';
import type { ExpireReason, KeepReason, RetentionDecision } from './set/retention.ts';
import type { TakenBackup } from './take.ts';
import type { VerifyResult } from './verify.ts';

/** What the command line says to people. All pure. */

export const describeTaken = (taken: TakenBackup): string =>
  `backup ${taken.id} written: ${showBytes(taken.sizeBytes)} in ${taken.path}\nit counts once verified: npm run backup -- verify ${taken.id}`;

export function describeVerified({ id, ok, restoreMs }: VerifyResult): string {
  if (!ok) return `backup ${id} FAILED verification`;
  return `backup ${id} verified: restored in ${showDuration(restoreMs ?? 0)}, content and schema are equal`;
}

export function describeRestore({ id, target, restoreMs, keptAs, safetyBackupId }: RestoreResult): string {
  const lines = [`backup ${id} restored as "${target}" in ${showDuration(restoreMs)}, compared equal`];
  if (keptAs !== undefined) lines.push(`the database it replaced is kept as "${keptAs}"; drop it when it is no longer needed`);
  if (safetyBackupId !== undefined) lines.push(`safety backup of what was replaced: ${safetyBackupId}`);
  return lines.join('\n');
}

export function describeSets(sets: readonly BackupSummary[], dir: string): string {
  if (sets.length === 0) return `no backups in ${dir}`;
  const rows = sets.map((set) => [set.id, set.state, showBytes(set.sizeBytes), set.database, set.kind, remarkOf(set)]);
  return asTable([['ID', 'STATE', 'SIZE', 'DATABASE', 'KIND', 'REMARK'], ...rows]);
}

function remarkOf(set: BackupSummary): string {
  if (set.state === 'failed') return set.reasons.join('; ');
  if (set.state === 'written') return 'not verified yet';
  return `restored in ${showDuration(set.restoreMs ?? 0)}`;
}

const reasonTexts: Readonly<Record<KeepReason | ExpireReason, string>> = {
  recent: 'within BACKUP_KEEP_DAYS',
  'newest-verified': 'the newest verified one',
  'minimum-kept': 'one of the newest BACKUP_KEEP_MIN verified ones',
  'nothing-newer-is-verified': 'no newer one is verified',
  'past-keep-days': 'older than BACKUP_KEEP_DAYS',
};

export function describeDecision({ id, action, reason }: RetentionDecision, dryRun: boolean): string {
  const verb = action === 'keep' ? 'keep' : dryRun ? 'would expire' : 'expired';
  return `${verb} ${id}: ${reasonTexts[reason]}`;
}

const stepTexts: Readonly<Record<BackupProgress['step'], string>> = {
  check: 'checking',
  dump: 'dumping',
  publish: 'publishing',
  checksum: 'checking SHA-256',
  read: 'reading the dump to its end',
  restore: 'restoring',
  compare: 'comparing',
  swap: 'putting in place',
};

/** One line for a terminal, such as `dumping: 12.3 MiB, 4.1 s`. */
export function describeProgress({ step, bytes }: BackupProgress, elapsedMs: number): string {
  const amount = bytes === undefined ? [] : [showBytes(bytes)];
  return `${stepTexts[step]}: ${[...amount, showDuration(elapsedMs)].join(', ')}`;
}

function asTable(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
