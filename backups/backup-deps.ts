import type { PostgresSettings } from '#lib/settings.ts';

/** How far a verb has come. `bytes` counts what the step has written or read so far. */
export type BackupProgress = {
  readonly step: 'check' | 'dump' | 'publish' | 'checksum' | 'read' | 'restore' | 'compare' | 'swap';
  readonly bytes?: number;
};

/** What the verbs that talk to PostgreSQL need. */
export type BackupDeps = {
  /** The database that is backed up; verify and restore use its server. */
  readonly postgres: PostgresSettings;
  /** Folder of the sets (BACKUP_DIR). */
  readonly dir: string;
  readonly now: () => Date;
  /** Ends the work early; nothing half done is left. A string as its reason is shown, such as SIGTERM. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: BackupProgress) => void;
};

/** `pg_stat_activity.application_name` of every session backups/ opens. */
export const applicationName = 'atalaya-backup';

/** Bound on any single pg_dump, pg_restore or fingerprint: an open snapshot holds back vacuum on the live database. */
export const longestWorkMs = 6 * 60 * 60 * 1000;
