import type { Entry, History } from './history.ts';
import type { Violation } from './rules.ts';

/**
 * A refresh token may be changed again for a moment, in case the answer was lost, until the one it was changed for has been
 * used. After that, and after the end of its session, it never works again. Pure.
 */
export function checkSessions(history: History): Violation[] {
  const sessions = Map.groupBy(history, ({ what }) => ('session' in what ? what.session : undefined));
  return [...sessions].flatMap(([session, entries]) => (session === undefined ? [] : checkSession(session, entries)));
}

function checkSession(session: string, entries: readonly Entry[]): Violation[] {
  const done = entries.filter(({ outcome }) => outcome === 'acknowledged');
  return done.flatMap((entry): Violation[] => {
    const { what, sentAtMs } = entry;
    if (what.kind !== 'refresh') return [];
    const earlier = done.filter((other) => other.endedAtMs < sentAtMs);
    const wrong = (why: string): Violation[] => [
      { rule: 'session-over', detail: `session ${session}: token ${what.generation} worked, though ${why}` },
    ];
    if (earlier.some((other) => other.what.kind === 'logout' || other.what.kind === 'password')) return wrong('the session had been ended');
    const later = earlier.find((other) => other.what.kind === 'refresh' && other.what.generation > what.generation);
    return later?.what.kind === 'refresh' ? wrong(`token ${later.what.generation} had been used`) : [];
  });
}
