import * as z from 'zod';

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** A duration as people write it, `500ms`, `5s`, `2m`, `26h`, `7d`, within bounds in ms; becomes ms. */
export function duration(minMs: number, maxMs: number) {
  const allowed = `must be a duration from ${shown(minMs)} to ${shown(maxMs)}, such as 5s`;
  return z
    .string(allowed)
    .regex(/^\d+(ms|s|m|h|d)$/, allowed)
    .transform((text) => parseDurationMs(text))
    .pipe(z.number().min(minMs, allowed).max(maxMs, allowed));
}

/** Text that matched above, as ms. */
function parseDurationMs(text: string): number {
  const [, amount, unit] = /^(\d+)(\w+)$/.exec(text) ?? [];
  return Number(amount) * unitMs[unit as keyof typeof unitMs];
}

function shown(ms: number): string {
  if (ms >= 1_000 && ms % 1_000 === 0) return `${ms / 1_000}s`;
  return `${ms}ms`;
}
