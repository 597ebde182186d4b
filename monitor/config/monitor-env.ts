import * as z from 'zod';
import { backupStoreEnv } from '#backups/deps.ts';
import { flag, integer, secret } from '#lib/env.ts';
import { apiAddressEnv, logEnv, postgresEnv, redisEnv } from '#lib/settings.ts';
import { channelEnv } from '../alerts/channels/kinds.ts';

const timeOfDay = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time of day in UTC, such as 02:00')
  .transform((text) => ({ hour: Number(text.slice(0, 2)), minute: Number(text.slice(3)) }));

/** Every variable the monitor reads. What is watched, and how, stands in the file MONITOR_CONFIG names. */
export const monitorEnv = {
  ...postgresEnv,
  REDIS_ENABLED: redisEnv.REDIS_ENABLED,
  REDIS_HOST: redisEnv.REDIS_HOST,
  REDIS_PORT: redisEnv.REDIS_PORT,
  REDIS_PASSWORD: redisEnv.REDIS_PASSWORD,
  ...logEnv,
  ...backupStoreEnv,
  API_URL: z
    .url({ protocol: /^https?$/, error: 'must be a URL such as http://127.0.0.1:8000' })
    .default('http://127.0.0.1:8000')
    .describe('Where the monitor reaches the API.'),
  METRICS_TOKEN: apiAddressEnv.METRICS_TOKEN,
  // Only `actions` that act need it.
  ADMIN_TOKEN: apiAddressEnv.ADMIN_TOKEN,
  MONITOR_HOST: z
    .string()
    .min(1)
    .default('127.0.0.1')
    .describe('Address the status page listens on; keep it loopback, or behind a server that speaks TLS.'),
  MONITOR_PORT: integer(1, 65_535).default(8080).describe('Port of the status page.'),
  MONITOR_PASSWORD: secret(z.string().min(12, 'must have at least 12 characters'))
    .optional()
    .describe('Lets operators into all of the status page, and Prometheus to /metrics. Unset: nobody, only the public view is served.'),
  MONITOR_DATA_DIR: z.string().min(1).default('.local/monitor').describe("Folder of the monitor's own store; a local disk, never NFS."),
  MONITOR_CONFIG: z.string().min(1).optional().describe('YAML file that says what is watched; unset: the API, PostgreSQL and Redis.'),
  MONITOR_URL: z
    .url({ protocol: /^https?$/, error: 'must be a URL such as https://status.shop.example' })
    .optional()
    .describe('Where people reach the status page; alerts link to it. Unset: the address it listens on.'),
  DEPLOYMENT_NAME: z.string().min(1).max(60).optional().describe('Name of this deployment; alerts carry it.'),
  HEARTBEAT_URL: secret(z.url({ protocol: /^https?$/, error: 'must be the URL of a dead man’s switch' }))
    .optional()
    .describe('Gets a POST every minute while the monitor works as it should; whoever listens there notices when it does not.'),
  ...channelEnv,
  BACKUP_ENABLED: flag().default(true).describe('Take, verify and expire a backup every day.'),
  BACKUP_SCHEDULE_UTC: timeOfDay
    .default({ hour: 2, minute: 0 })
    .describe('Time of day of the backup in UTC, as in 02:00; a missed one is caught up.'),
} satisfies z.ZodRawShape;

export type MonitorEnv = Readonly<z.output<z.ZodObject<typeof monitorEnv>>>;
