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
  /** `of`: the id of an incident, over or not. */
  z.strictObject({
    do: z.literal('note'),
    of: z.string(),
    by,
    kind: z.enum(['note', 'post_mortem']),
    is_public: z.boolean(),
    text: z
      .string()
      .transform((text) => text.replaceAll(/\r\n?/g, '\n').trim())
      .pipe(
        z
          .string()
          .min(1, 'must not be empty')
          .max(20_000, 'must have at most 20000 characters')
          .regex(/^[^\p{Cc}\n\t]*(?:[\n\t][^\p{Cc}\n\t]*)*$/u, 'must be plain text'),
      ),
  }),
  z.strictObject({ do: z.literal('ack'), of: z.string(), by }),
]);

export type Command = z.output<typeof commandSchema>;
