import type { FileHandle } from 'node:fs/promises';
import * as z from 'zod';
import { integer } from '#lib/env.ts';
import { postgresEnv, type PostgresSettings } from '#lib/settings.ts';

/** Where sets are kept and for how long; the monitor, which takes the daily backup, reads the same. */
export const backupStoreEnv = {
  BACKUP_DIR: z.string().min(1).default('.local/backups').describe('Folder of the backup sets; best on another disk than the database.'),
  BACKUP_KEEP_DAYS: integer(1, 3650).default(7).describe('Days a backup is kept.'),
  BACKUP_KEEP_MIN: integer(1, 1000).default(3).describe('Verified backups that are kept however old they are.'),
} satisfies z.ZodRawShape;

/** Every variable `npm run backup` reads. */
export const backupEnv = { ...postgresEnv, ...backupStoreEnv } satisfies z.ZodRawShape;

export type BackupSettings = Readonly<z.output<z.ZodObject<typeof backupEnv>>>;

/**
 * Every way in which the folder of sets is changed. A harness can put its own below, to see what is on the disk when
 * the power goes.
 */
export type FileEffects = {
  /** Makes a file (mode 0600) that must not exist yet. */
  readonly create: (path: string) => Promise<Pick<FileHandle, 'write' | 'sync' | 'close'>>;
  /** Makes one folder (mode 0700) whose parent exists. */
  readonly makeFolder: (path: string) => Promise<unknown>;
  readonly rename: (from: string, to: string) => Promise<void>;
  /** Removes a file or a folder with all it holds; nothing there is fine. */
  readonly remove: (path: string) => Promise<void>;
  /** Makes names that were made, changed or removed in a folder last through a loss of power. */
  readonly syncFolder: (path: string) => Promise<void>;
};

/** How far a verb has come. `bytes` counts what the step has written or read so far. */
export type BackupProgress = {
  readonly step: 'check' | 'dump' | 'publish' | 'checksum' | 'read' | 'restore' | 'compare' | 'swap';
  readonly bytes?: number;
};

/** What the verbs need. */
export type BackupDeps = {
  /** The database that is backed up; verify and restore use its server. */
  readonly postgres: PostgresSettings;
  /** Folder of the sets (BACKUP_DIR). */
  readonly dir: string;
  readonly now: () => Date;
  /** Ends the work early; nothing half done is left. A string as its reason is shown, such as SIGTERM. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: BackupProgress) => void;
  /** What the folder of sets is changed through; the disk, unless a test puts another below. */
  readonly files?: FileEffects;
};

/** `pg_stat_activity.application_name` of every session backups/ opens. */
export const applicationName = 'atalaya-backup';

/** Bound on any single pg_dump, pg_restore or fingerprint: an open snapshot holds back vacuum on the live database. */
export const longestWorkMs = 6 * 60 * 60 * 1000;
