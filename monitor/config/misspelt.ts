import type { Environment } from '#lib/env.ts';
import { nearestWord } from '#lib/misspelt.ts';

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
    const nearest = nearestWord(name.replace(/_FILE$/, ''), known);
    if (nearest === undefined && !ownPrefixes.some((prefix) => name.startsWith(prefix))) return [];
    const hint = nearest === undefined ? 'the monitor knows no such variable' : `did you mean ${nearest}?`;
    return [`${name} is set, but nothing reads it; ${hint}`];
  });
}
