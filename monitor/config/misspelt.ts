import type { Environment } from '#lib/env.ts';

/** Prefixes of variables that nothing but the monitor reads: whatever begins so and is not known is a mistake. */
const ownPrefixes = ['MONITOR_', 'SLACK_', 'SMTP_', 'ALERT_', 'WEBHOOK_'];

/** Variables of other programs that are near to one of ours. */
const others = new Set(['API_HOST', 'API_PORT', 'MONITOR_IMAGE', 'REDIS_URL', 'POSTGRES_MAX_CONNECTIONS']);

/**
 * Set variables that nobody reads and that were surely meant for the monitor, one line each with the name that was
 * probably meant. Pure.
 * @param known names the monitor reads
 */
export function misspeltVariables(env: Environment, known: readonly string[]): string[] {
  const readable = new Set([...known, ...known.map((name) => `${name}_FILE`), ...others]);
  const given = Object.keys(env).filter((name) => env[name] && !readable.has(name));
  return given.flatMap((name) => {
    const nearest = known.find((candidate) => editDistance(name.replace(/_FILE$/, ''), candidate) <= 2);
    if (nearest === undefined && !ownPrefixes.some((prefix) => name.startsWith(prefix))) return [];
    const hint = nearest === undefined ? 'the monitor knows no such variable' : `did you mean ${nearest}?`;
    return [`${name} is set, but nothing reads it; ${hint}`];
  });
}

/** Letters to insert, delete or exchange, and neighbours to swap, on the way from one word to the other (Damerau–Levenshtein). */
function editDistance(a: string, b: string): number {
  // rows[i][j]: from the first i letters of one to the first j of the other.
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  const from = (i: number, j: number): number => rows[i]?.[j] ?? Infinity;
  for (let i = 1; i <= a.length; i += 1) {
    rows[i] = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const isSwapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const change = from(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1);
      rows[i]?.push(Math.min(from(i - 1, j) + 1, from(i, j - 1) + 1, change, isSwapped ? from(i - 2, j - 2) + 1 : Infinity));
    }
  }
  return from(a.length, b.length);
}
