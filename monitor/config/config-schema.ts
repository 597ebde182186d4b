import * as z from 'zod';
import { parseCondition } from '../probes/condition.ts';
import { duration } from './duration.ts';

const condition = z.string().transform((text, context) => {
  try {
    return parseCondition(text);
  } catch (err) {
    context.issues.push({ code: 'custom', message: (err as Error).message, input: text });
    return z.NEVER;
  }
});

const cadence = {
  /** From the start of one look to the start of the next. */
  interval: duration(50, 86_400_000),
  /** Longest a look may take. */
  timeout: duration(50, 60_000),
  /** From a look that began a streak to the next, until it settles. */
  confirmInterval: duration(20, 60_000),
  /** Consecutive failures that make a target down. */
  failures: z.int().min(1).max(100),
  /** Consecutive answers that bring it back. */
  successes: z.int().min(1).max(100),
};

/** Detection within 5 + 3 + 2 × (2 + 3) = 18 s, and 21 s for what depends on something else. */
export const defaultCadence = { interval: '5s', timeout: '3s', confirmInterval: '2s', failures: 3, successes: 2 } as const;

const common = {
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'must be letters, digits, dots, dashes and underscores, at most 63'),
  dependsOn: z.array(z.string()).default([]),
};

const ownCadence = z.object(cadence).partial().shape;

const probe = z.discriminatedUnion('kind', [
  z.strictObject({
    ...common,
    ...ownCadence,
    kind: z.literal('http'),
    /** Absolute, or a path below API_URL. */
    url: z.string().min(1),
    conditions: z.array(condition).default([parseCondition('[STATUS] == 200')]),
    degradedUnless: z.array(condition).default([]),
  }),
  z.strictObject({ ...common, ...ownCadence, kind: z.literal('postgres') }),
]);

/** The file MONITOR_CONFIG names. */
export const configSchema = z.strictObject({
  /** What probes have that do not say otherwise. */
  defaults: z
    .strictObject({
      interval: cadence.interval.prefault(defaultCadence.interval),
      timeout: cadence.timeout.prefault(defaultCadence.timeout),
      confirmInterval: cadence.confirmInterval.prefault(defaultCadence.confirmInterval),
      failures: cadence.failures.default(defaultCadence.failures),
      successes: cadence.successes.default(defaultCadence.successes),
    })
    .prefault({}),
  probes: z.array(probe).min(1),
  delivery: z
    .strictObject({
      /** Wait after the first failed send; it doubles from there. */
      firstRetry: duration(10, 60_000).prefault('1s'),
      longestRetry: duration(10, 3_600_000).prefault('5m'),
    })
    .prefault({}),
  backups: z
    .strictObject({
      /** Older than this, the newest verified backup raises an alert. */
      maxAge: duration(60_000, 90 * 86_400_000).prefault('26h'),
      /** Time after the start before a missed backup is caught up. */
      settle: duration(0, 3_600_000).prefault('60s'),
    })
    .prefault({}),
});

export type ConfigFile = z.output<typeof configSchema>;
export type ProbeConfig = ConfigFile['probes'][number];

/** What is watched when no file says otherwise. The API says 503 and `critical` when it cannot do its work. */
export const defaultConfigFile = {
  probes: [
    { name: 'postgresql', kind: 'postgres' },
    {
      name: 'api',
      kind: 'http',
      url: '/health_check',
      dependsOn: ['postgresql'],
      conditions: ['[STATUS] == 200', '[BODY].status != critical'],
      degradedUnless: ['[BODY].status == healthy'],
    },
  ],
} satisfies z.input<typeof configSchema>;
