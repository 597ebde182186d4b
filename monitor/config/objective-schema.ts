import * as z from 'zod';
import { duration } from '../probes/fields.ts';
import type { Slo } from '../slo/slo-probe.ts';

const percent = 'must be a percentage from 90% to 99.999%, such as 99.9%';

/** One entry of `objectives` in the file; what comes out is what the probe reads. */
export const objectiveSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'must be letters, digits, dots, dashes and underscores, at most 63')
      .describe('What messages and the page call it; a name no probe has.'),
    objective: z
      .string(percent)
      .regex(/^9\d(?:\.\d{1,3})?%$/, percent)
      .describe('Share of answers that must be good, such as 99.9%.'),
    metrics: z
      .array(z.url({ protocol: /^http$/, error: 'must be the http URL of an admin listener, such as http://api-a:9000/metrics' }))
      .min(1)
      .describe('Where the APIs show their metrics; METRICS_TOKEN is sent along.'),
    slowerThan: duration(1, 10_000).optional().describe('Answers that take longer are bad too; a bound of their histogram, such as 500ms.'),
    dependsOn: z
      .array(z.union([z.string().transform((name) => [name]), z.array(z.string()).min(1)]))
      .prefault([])
      .describe('As in a probe: an outage of these explains why the budget burns.'),
  })
  .transform(({ objective, metrics, slowerThan, name, dependsOn }): Slo & { readonly dependsOn: readonly (readonly string[])[] } => ({
    name,
    dependsOn,
    objective: Number.parseFloat(objective) / 100,
    slowerThanSeconds: slowerThan === undefined ? undefined : slowerThan / 1_000,
    sources: metrics.map((url) => new URL(url)),
  }));
