import * as z from 'zod';
import { integer } from '#lib/env.ts';
import { postgresEnv } from '#lib/settings.ts';

/** Where sets are kept and for how long; the monitor, which takes the daily backup, reads the same. */
export const backupStoreEnv = {
  BACKUP_DIR: z.string().min(1).default('.local/backups').describe('Folder of the backup sets; best on another disk than the database.'),
  BACKUP_KEEP_DAYS: integer(1, 3650).default(7).describe('Days a backup is kept.'),
  BACKUP_KEEP_MIN: integer(1, 1000).default(3).describe('Verified backups that are kept however old they are.'),
} satisfies z.ZodRawShape;

/** Every variable `npm run backup` reads. */
export const backupEnv = { ...postgresEnv, ...backupStoreEnv } satisfies z.ZodRawShape;

export type BackupSettings = Readonly<z.output<z.ZodObject<typeof backupEnv>>>;
