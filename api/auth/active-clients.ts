import type { Pool } from 'pg';

import { runStatement, statement } from '../db/statement.ts';
import { createExpiringCache } from './expiring-cache.ts';

/** Which clients still exist. A deletion is seen at once by the process that did it, by the others within 5 s. */
export type ActiveClients = {
  readonly isActive: (clientId: number) => Promise<boolean>;
  /** To be called when a client has been deleted. */
  readonly forget: (clientId: number) => void;
};

const activeClient = statement<{ found: number }>(
  'active-client',
  'SELECT 1 AS found FROM clients WHERE id_key = $1 AND deleted_at IS NULL',
);

export function createActiveClients(pool: Pool): ActiveClients {
  const known = createExpiringCache<boolean>({ capacity: 10_000, ttlMs: 5_000 });
  return {
    isActive: async (clientId) => {
      const isActive = await known.getOrLoad(String(clientId), async () => (await runStatement(pool, activeClient, [clientId])).length > 0);
      return isActive ?? false;
    },
    forget: (clientId) => known.delete(String(clientId)),
  };
}
