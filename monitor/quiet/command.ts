import * as z from 'zod';

const day = 86_400_000;
const line = (longest: number) =>
  z
    .string()
    .trim()
    .min(1, 'must not be empty')
    .max(longest, `must have at most ${longest} characters`)
    .regex(/^[^\p{Cc}]*$/u, 'must be one line');

const by = line(60).describe('Who asks for it.');

/** What a running monitor can be asked to do. */
export const commandSchema = z.discriminatedUnion('do', [
  z.strictObject({
    do: z.literal('silence'),
    /** Null: every target. */
    targets: z.array(z.string()).min(1).max(1_000).nullable(),
    for_ms: z
      .int()
      .min(60_000, 'must be at least a minute')
      .max(30 * day, 'must be at most 30 days; for longer take the target out of MONITOR_CONFIG'),
    by,
    reason: line(200),
  }),
  z.strictObject({ do: z.literal('unsilence'), name: z.string(), by }),
  /** `of`: the id of an incident, or the name of its target. */
  z.strictObject({ do: z.literal('ack'), of: z.string(), by }),
]);

export type Command = z.output<typeof commandSchema>;
