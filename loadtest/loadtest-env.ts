import * as z from 'zod';
import { secret } from '#lib/env.ts';
import { apiAddressEnv, postgresEnv } from '#lib/settings.ts';

/** Variables of the load test that are only read with --target; without it everything is known from its own stack. */
export const loadtestEnv = {
  LOADTEST_KEY: secret(z.string().min(24, 'must have at least 24 characters'))
    .optional()
    .describe('API key of role loadtest, with which `npm run loadtest -- --target` registers its virtual users.'),
  ADMIN_HOST: apiAddressEnv.ADMIN_HOST,
  ADMIN_PORT: apiAddressEnv.ADMIN_PORT,
  ADMIN_TOKEN: apiAddressEnv.ADMIN_TOKEN,
  ...postgresEnv,
} satisfies z.ZodRawShape;

export type LoadtestSettings = Readonly<z.output<z.ZodObject<typeof loadtestEnv>>>;
