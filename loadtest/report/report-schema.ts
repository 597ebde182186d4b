import * as z from 'zod';

const count = z.int().nonnegative();
const ms = z.number().nonnegative().nullable();
const name = z.string();

const loadSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('closed'), users: count, thinkMs: z.tuple([z.number(), z.number()]) }),
  z.object({ kind: z.literal('saturating'), users: count }),
  z.object({
    kind: z.literal('open'),
    users: count,
    spacing: z.enum(['poisson', 'even']),
    stages: z.array(z.object({ fromPerSecond: z.number(), toPerSecond: z.number(), durationMs: z.number() })),
  }),
]);

const phaseSchema = z.object({
  name,
  load: loadSchema.describe('Who asked for how much: users who pause, users who never do, or requests that arrive by a schedule.'),
  script: z.string(),
  warmUpMs: z.number(),
  durationMs: z.number(),
  timeoutMs: z.number(),
  processes: count,
  startSecond: count.describe('Second of the run in which it began.'),
  lost: z.array(z.string()).describe('Generator processes that ended early or stopped reporting.'),
});

const witnessSchema = z
  .object({
    says: z.string(),
    about: z.record(z.string(), z.union([z.string(), z.number()])),
    endpoint: z.string().optional(),
    second: z.number().optional(),
    status: z.number().optional(),
    requestId: z.string().optional(),
    latencyMs: z.number().optional(),
    received: z.string().optional().describe('The beginning of what was received, secrets hidden.'),
  })
  .describe('One thing that can be looked up.');

const latencySchema = z
  .object({ count, meanMs: ms, p50Ms: ms, p90Ms: ms, p95Ms: ms, p99Ms: ms, maxMs: ms })
  .describe('Of right answers, honest refusals and timeouts after warm-up; null when there were none.');

const countsSchema = z
  .object({
    sent: count,
    ok: count,
    refused: count.describe('Right to say no, such as 409 for stock that ran out.'),
    limited: count.describe('429.'),
    httpErrors: count,
    wrongAnswers: count.describe('A success status with the wrong content, or an answer that breaks HTTP.'),
    timeouts: count,
    connectionErrors: count,
  })
  .describe('Over the whole run, warm-up included.');

const checkSchema = z.object({
  id: z.string().describe('Stable, for scripts.'),
  kind: z.enum(['limit', 'content', 'invariant', 'innocence']),
  title: z.string(),
  outcome: z.enum(['met', 'broken', 'excused', 'tolerated', 'not-checked']),
  measured: z.string(),
  limit: z.string(),
  reason: z.string(),
  witnesses: z.array(witnessSchema).optional(),
  onlySlows: z.literal(true).optional().describe('Of client and machine: it can only have made the service look slower.'),
  isSpeed: z.literal(true).optional(),
});

const figuresSchema = z.object({
  latency: latencySchema,
  counts: countsSchema,
  errorRate: z.number().min(0).max(1),
  throughput: z.number().nonnegative().describe('Right answers a second after warm-up.'),
  endpoints: z.array(
    z.object({
      endpoint: z.string(),
      counts: countsSchema,
      latency: latencySchema,
      attribution: z.record(z.string(), z.number()).nullable().optional().describe('Where the time of its slowest 1 % went, as shares.'),
      isJudged: z.boolean().describe('False for a disturbance mixed in on purpose.'),
    }),
  ),
});

const lineSchema = z.object({ p50Ms: ms, p95Ms: ms, p99Ms: ms, perSecond: z.number(), errorRate: z.number() }).nullable();

const baselineSchema = z
  .object({
    path: z.string(),
    startedAt: z.string(),
    verdict: z.enum(['PASS', 'FAIL', 'INVALID']),
    differences: z.array(z.string()).describe('What else was not the same.'),
    rows: z.array(z.object({ endpoint: z.string(), before: lineSchema, now: lineSchema })).describe('The first is of all requests.'),
  })
  .nullable()
  .optional()
  .describe('This run beside an earlier one, where one was named; it decides nothing.');

const dots = z.array(z.number().nullable());

/** What report.json promises to programs. Members may be added within a version; what stands here neither goes nor changes its meaning. */
export const reportSchema = z
  .object({
    version: z.literal(1),
    plan: z.string(),
    scenario: z.string(),
    runId: z.string(),
    startedAt: z.string().describe('ISO 8601, UTC.'),
    target: z.object({
      origin: z.string(),
      kind: z.enum(['own', 'given']),
      effective: z.record(z.string(), z.unknown()).nullable().describe('Settings in effect; null when they could not be read.'),
      asked: z.record(z.string(), z.string()).optional(),
      maxConnections: z.number().optional(),
    }),
    seed: count,
    mix: z.array(z.string()),
    budget: z.object({ p95Ms: z.number(), p99Ms: z.number(), errorRate: z.number() }).describe('What is allowed; each limit exclusive.'),
    phases: z.array(phaseSchema),
    baseline: baselineSchema,
    exitCode: z.union([z.literal(0), z.literal(99), z.literal(75)]),
    verdict: z.enum(['PASS', 'FAIL', 'INVALID']),
    sentence: z.string().describe('What came of the run, for people.'),
    reasons: z.array(z.string()),
    limitedBy: z.string().nullable(),
    checks: z.array(checkSchema),
    figures: figuresSchema,
    curve: z
      .object({
        rate: z.array(z.number()),
        kept: dots,
        missed: dots,
        unclear: dots,
        knee: z.number().nullable(),
        demand: z.number().nullable(),
      })
      .nullable()
      .describe('p95 in ms by arrival rate, where several were held.'),
    highlights: z.array(z.object({ label: z.string(), value: z.string(), note: z.string() })),
    failures: z.array(
      z.object({
        endpoint: z.string(),
        outcome: z.enum(['ok', 'refused', 'limited', 'http-error', 'wrong-answer', 'timeout', 'connection-error']),
        status: z.number().nullable(),
        fault: z.string(),
        count,
        witnesses: z.array(witnessSchema),
      }),
    ),
    client: z.object({
      calibration: z.object({ p99Ms: ms, requestsPerSecond: z.number() }).nullable(),
      coLocated: z.boolean(),
      cores: count,
    }),
    rest: z.unknown().describe('The target when all was quiet again; null when the run did not come so far.'),
    books: z
      .record(z.string(), z.unknown())
      .nullable()
      .describe(
        'What the target’s books come to, in the scenario’s own words; whole they stand in measurement.jsonl. Null when the run did not come so far.',
      ),
    left: z.array(z.string()).nullable().describe('What stays behind in the target; null when the run did not come so far.'),
  })
  .meta({ title: 'report.json of the load test' });

export type ReportJson = z.output<typeof reportSchema>;
