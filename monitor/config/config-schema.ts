import * as z from 'zod';
import { duration, orNever } from '../probes/fields.ts';
import { probeKinds } from '../probes/kinds.ts';
import { actionSchema } from './action-schema.ts';
import { maintenanceSchema } from './maintenance-schema.ts';
import { objectiveSchema } from './objective-schema.ts';
import { rotationSchema } from './rotation-schema.ts';

const day = 86_400_000;

/** How often a target is looked at, and what is borne before it is told. Each can stand in `defaults` and in a probe. */
const rhythm = {
  interval: duration(50, day).describe('From the start of one look to the start of the next.'),
  timeout: duration(50, 60_000).describe('Longest a look may take.'),
  confirmInterval: duration(20, 60_000).describe('From a look that began a streak to the next, until it settles.'),
  failures: z.int().min(1).max(100).describe('Consecutive failures that make a target down.'),
  successes: z.int().min(1).max(100).describe('Consecutive answers that bring it back.'),
  slow: duration(1, 60_000).describe('A good answer that takes longer is evidence of a degraded target.'),
  unknownAfter: duration(0, day).describe('Time the monitor may be unable to tell before it says so.'),
  remindAfter: orNever(60_000).describe('Time after which it is told again that an incident goes on; never: no reminders.'),
  warnAfter: orNever(0).describe('Time degraded before a warning, once; never: no warning.'),
  startGrace: duration(0, 3_600_000).describe('Time from the start of the monitor to be up for the first time before it is told as down.'),
};

/** Detection within 5 + 3 + 2 × (2 + 3) + 1 = 19 s, and 22 s for what depends on something else. */
const usual = {
  interval: '5s',
  timeout: '3s',
  confirmInterval: '2s',
  failures: 3,
  successes: 2,
  slow: '1s',
  unknownAfter: '5m',
  warnAfter: '5m',
  remindAfter: '4h',
  startGrace: '60s',
} as const;

const everyProbe = {
  name: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'must be letters, digits, dots, dashes and underscores, at most 63')
    .describe('What messages and the page call it; letters, digits, dots, dashes and underscores.'),
  dependsOn: z
    .array(z.union([z.string().transform((name) => [name]), z.array(z.string()).min(1)]))
    .prefault([])
    .describe('Targets whose outage explains one of this; of a list in the list one is enough, so only all of them explain it.'),
  degradedBy: z.array(z.string()).default([]).describe('Targets whose outage degrades this one, and does not end it.'),
  publicLatency: z.boolean().default(false).describe('Whether everybody may see how long its answers take, or operators alone.'),
  ...z.object(rhythm).partial().shape,
};

const [firstKind, ...otherKinds] = probeKinds.map(({ kind, schema }) =>
  z.strictObject({ ...schema, ...everyProbe, kind: z.literal(kind) }),
);
if (!firstKind) throw new Error('there is no kind of probe');

/** The file MONITOR_CONFIG names. */
export const configSchema = z.strictObject({
  defaults: z
    .strictObject({
      interval: rhythm.interval.prefault(usual.interval),
      timeout: rhythm.timeout.prefault(usual.timeout),
      confirmInterval: rhythm.confirmInterval.prefault(usual.confirmInterval),
      failures: rhythm.failures.default(usual.failures),
      successes: rhythm.successes.default(usual.successes),
      slow: rhythm.slow.prefault(usual.slow),
      unknownAfter: rhythm.unknownAfter.prefault(usual.unknownAfter),
      warnAfter: rhythm.warnAfter.prefault(usual.warnAfter),
      remindAfter: rhythm.remindAfter.prefault(usual.remindAfter),
      startGrace: rhythm.startGrace.prefault(usual.startGrace),
    })
    .prefault({})
    .describe('What probes have that do not say otherwise.'),
  probes: z.array(z.discriminatedUnion('kind', [firstKind, ...otherKinds])).min(1),
  objectives: z
    .array(objectiveSchema)
    .prefault([])
    .describe('Shares of answers that must be good, over 30 days; each is watched as a target of its own.'),
  rotation: z
    .array(rotationSchema)
    .prefault([])
    .describe('Log files that are renamed once a day, compressed a day later and kept for a while; each folder is watched as a target.'),
  actions: z
    .array(actionSchema)
    .prefault([])
    .describe('What is restarted when it hangs: three times an hour at most in all, and then a person is called.'),
  flapping: z
    .union(
      [
        z.literal('off').transform(() => undefined),
        z.strictObject({
          turns: z.int().min(2).max(20).default(3).describe('Turns, down or back, that make a target flapping.'),
          window: duration(1_000, day).prefault('2m').describe('Time within which they fall.'),
          settle: duration(1_000, day).prefault('1m').describe('Time without a turn after which it has settled.'),
        }),
      ],
      'must be off, or turns, window and settle',
    )
    .prefault({})
    .describe('A target that comes and goes is told once, not at each turn; off: at each turn.'),
  maintenance: z
    .array(maintenanceSchema)
    .prefault([])
    .describe('Times of planned work: what begins in them is told only if it outlasts them, and what ends is told at once.'),
  delivery: z
    .strictObject({
      language: z.enum(['en', 'es']).default('en').describe('What messages are written in: en or es. Pages follow their reader.'),
      firstRetry: duration(10, 60_000).prefault('1s').describe('Wait after the first failed send; it doubles from there.'),
      longestRetry: duration(10, 3_600_000)
        .prefault('5m')
        .describe('Longest wait between two sends that may have arrived or were refused; what surely has not arrived: 4s.'),
    })
    .prefault({}),
  backups: z
    .strictObject({
      maxAge: duration(60_000, 90 * 86_400_000)
        .prefault('26h')
        .describe('Older than this, the newest verified backup raises an alert.'),
      interval: duration(50, 3_600_000).prefault('60s').describe('From one look at the catalogue to the next.'),
      settle: duration(0, 3_600_000).prefault('60s').describe('Time after the start before a missed backup is caught up.'),
    })
    .prefault({}),
});

export type ConfigFile = z.output<typeof configSchema>;
export type ProbeConfig = ConfigFile['probes'][number];

/**
 * What is watched when no file says otherwise. The API says 503 and `critical` when it cannot do its work.
 * @param logDir where the API beside it writes its logs, which are then rotated
 */
export const builtInConfig = (isRedisUsed = false, logDir?: string): unknown => ({
  rotation: logDir === undefined ? [] : [{ name: 'logs', dir: logDir }],
  probes: [
    { name: 'postgresql', kind: 'postgres' },
    ...(isRedisUsed ? [{ name: 'redis', kind: 'redis' }] : []),
    {
      name: 'api',
      kind: 'http',
      url: '/health_check',
      dependsOn: ['postgresql'],
      ...(isRedisUsed ? { degradedBy: ['redis'] } : {}),
      conditions: ['[STATUS] == 200', '[BODY].status != critical'],
      degradedUnless: ['[BODY].status == healthy'],
    },
  ],
});
