import * as z from 'zod';
import { duration } from '../probes/fields.ts';
import { probeKinds } from '../probes/kinds.ts';

const cadence = {
  interval: duration(50, 86_400_000).describe('From the start of one look to the start of the next.'),
  timeout: duration(50, 60_000).describe('Longest a look may take.'),
  confirmInterval: duration(20, 60_000).describe('From a look that began a streak to the next, until it settles.'),
  failures: z.int().min(1).max(100).describe('Consecutive failures that make a target down.'),
  successes: z.int().min(1).max(100).describe('Consecutive answers that bring it back.'),
};

/** Detection within 5 + 3 + 2 × (2 + 3) = 18 s, and 21 s for what depends on something else. */
const defaultCadence = { interval: '5s', timeout: '3s', confirmInterval: '2s', failures: 3, successes: 2 } as const;

const everyProbe = {
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'must be letters, digits, dots, dashes and underscores, at most 63'),
  dependsOn: z.array(z.string()).default([]),
  ...z.object(cadence).partial().shape,
};

const [firstKind, ...otherKinds] = probeKinds.map(({ kind, schema }) =>
  z.strictObject({ ...schema, ...everyProbe, kind: z.literal(kind) }),
);
if (!firstKind) throw new Error('there is no kind of probe');

/** The file MONITOR_CONFIG names. */
export const configSchema = z.strictObject({
  defaults: z
    .strictObject({
      interval: cadence.interval.prefault(defaultCadence.interval),
      timeout: cadence.timeout.prefault(defaultCadence.timeout),
      confirmInterval: cadence.confirmInterval.prefault(defaultCadence.confirmInterval),
      failures: cadence.failures.default(defaultCadence.failures),
      successes: cadence.successes.default(defaultCadence.successes),
    })
    .prefault({})
    .describe('What probes have that do not say otherwise.'),
  probes: z.array(z.discriminatedUnion('kind', [firstKind, ...otherKinds])).min(1),
  delivery: z
    .strictObject({
      firstRetry: duration(10, 60_000).prefault('1s').describe('Wait after the first failed send; it doubles from there.'),
      longestRetry: duration(10, 3_600_000).prefault('5m').describe('Longest wait between two sends.'),
    })
    .prefault({}),
  backups: z
    .strictObject({
      maxAge: duration(60_000, 90 * 86_400_000)
        .prefault('26h')
        .describe('Older than this, the newest verified backup raises an alert.'),
      settle: duration(0, 3_600_000).prefault('60s').describe('Time after the start before a missed backup is caught up.'),
    })
    .prefault({}),
});

export type ConfigFile = z.output<typeof configSchema>;
export type ProbeConfig = ConfigFile['probes'][number];

/** What is watched when no file says otherwise. The API says 503 and `critical` when it cannot do its work. */
export const builtInConfig = (isRedisUsed = false): unknown => ({
  probes: [
    { name: 'postgresql', kind: 'postgres' },
    ...(isRedisUsed ? [{ name: 'redis', kind: 'redis' }] : []),
    {
      name: 'api',
      kind: 'http',
      url: '/health_check',
      dependsOn: ['postgresql'],
      conditions: ['[STATUS] == 200', '[BODY].status != critical'],
      degradedUnless: ['[BODY].status == healthy'],
    },
  ],
});
