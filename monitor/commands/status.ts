import { UnreachableError, messageOf } from '#lib/errors.ts';
import { localOrigin } from '#lib/listen.ts';
import { showTime } from '#lib/show.ts';
import { whom } from '../status-page/quiet-view.ts';
import type { StatusView } from '../status-page/status-view.ts';

const requestTimeoutMs = 5_000;

/** What the running daemon knows. @throws {UnreachableError} */
export async function fetchStatus(host: string, port: number): Promise<StatusView> {
  const url = `${localOrigin(host, port)}/api/status`;
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(requestTimeoutMs) });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return (await response.json()) as StatusView;
  } catch (err) {
    const why = err instanceof Error && err.cause !== undefined ? messageOf(err.cause) : messageOf(err);
    throw new UnreachableError(`no monitor answers at ${url} (${why}); start it with npm run monitor, or set MONITOR_PORT`, { cause: err });
  }
}

export function describeStatus(view: StatusView): string {
  const watched = view.targets.map(
    ({ name, status, latency_ms: latencyMs, detail, held_by: heldBy }) =>
      `${name.padEnd(14)} ${status.padEnd(9)} ${(latencyMs === null ? '–' : `${latencyMs} ms`).padStart(10)}  ${heldBy === null ? '' : `[${heldBy}] `}${detail}`,
  );
  const channels = view.channels?.map(
    ({ name, pending, failed, broken_since: since }) =>
      `${name}: ${since === null ? '' : 'broken, '}${pending} waiting, ${failed} set aside`,
  ) ?? ['store unreadable'];
  return [
    ...watched,
    `alerts         ${channels.join('; ') || 'no channel'}`,
    `backups        ${view.backups.state}`,
    ...view.silences.map(
      ({ name, targets, ends_at: endsAt, by, reason }) =>
        `silence        ${name}: ${whom({ targets })} until ${showTime(endsAt)}, by ${by}: ${reason}`,
    ),
    ...view.maintenance.map(
      ({ name, targets, is_under_way: isUnderWay, starts_at: startsAt, ends_at: endsAt }) =>
        `maintenance    ${name}: ${whom({ targets })}, ${isUnderWay ? `until ${showTime(endsAt)}` : `next from ${showTime(startsAt)}`}`,
    ),
    ...(view.monitor.reasons.length > 0 ? [`monitor        ${view.monitor.status}: ${view.monitor.reasons.join('; ')}`] : []),
  ].join('\n');
}
