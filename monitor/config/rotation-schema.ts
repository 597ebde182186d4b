import * as z from 'zod';
import type { RotatedLogs } from '../logs/rotation.ts';

/** One entry of `rotation` in the file; what comes out is what rotation reads. */
export const rotationSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'must be letters, digits, dots, dashes and underscores, at most 63')
      .describe('What messages and the page call it; a name no probe has.'),
    dir: z.string().min(1).describe('Folder of the logs, on a local disk, which the monitor may write; LOG_DIR of an API.'),
    files: z
      .array(z.string().regex(/^[\w][\w.-]*$/, 'must be the name of a file'))
      .min(1)
      .default(['app.log', 'error.log', 'access.log', 'security.log'])
      .describe('Files in it.'),
    at: z
      .string()
      .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day in UTC, such as 00:00')
      .default('00:00')
      .describe('When they are renamed, in UTC; a missed time is caught up.'),
    keep: z.int().min(2).max(1_000).default(14).describe('Renamed files that are kept of each.'),
  })
  .transform(({ at, ...rest }): RotatedLogs => ({ ...rest, time: { hour: Number(at.slice(0, 2)), minute: Number(at.slice(3)) } }));
