import * as z from 'zod';
import type { Action } from '../action/decide-restart.ts';

/** One entry of `actions` in the file; what comes out is what the rules read. */
export const actionSchema = z
  .strictObject({
    target: z.string().min(1).describe('A probe of kind http; when it hangs the API behind it is drained, and ends.'),
    admin: z
      .url({ protocol: /^http$/, error: 'must be the http URL of an admin listener, such as http://api-a:9000' })
      .describe('Admin listener of that API; ADMIN_TOKEN is sent along.'),
    mode: z
      .enum(['dry-run', 'act'], 'must be dry-run or act')
      .default('dry-run')
      .describe('dry-run: told and counted, and nothing is done; act needs ADMIN_TOKEN.'),
  })
  .transform(({ admin, ...rest }): Action => ({ ...rest, admin: new URL(admin) }));
