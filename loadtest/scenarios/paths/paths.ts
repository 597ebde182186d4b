import { join } from 'node:path';
import type { Scenario } from '../scenario.ts';

/** Any HTTP service: users who read these paths. Nothing is known of what is in them, so only statuses are looked at. */
export const paths = (list: readonly string[]): Scenario => ({
  name: 'paths',
  crowdFile: join(import.meta.dirname, 'paths-crowd.ts'),
  nullServerFile: join(import.meta.dirname, '../shop/null-shop.ts'),
  mixes: {},
  highlights: () => [],
  prepare: async (_target, { users }) => ({
    facts: { paths: list },
    users: Array.from({ length: users }, () => null),
    enroll: async (count) => Array.from({ length: count }, () => null),
    disturbed: [],
    readBooks: async () => null,
    cleanUp: async () => [],
  }),
});
