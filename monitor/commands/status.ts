import { UnreachableError, messageOf } from '#lib/errors.ts';
import { localOrigin } from '#lib/listen.ts';
import { showTime } from '#lib/show.ts';
import { readSigner, signCommand } from '../quiet/signature.ts';
import { whom } from '../status-page/quiet-view.ts';
import type { StatusView } from '../status-page/status-view.ts';
import type { Where } from './ask-monitor.ts';

const requestTimeoutMs = 5_000;

const path = '/api/operator/status';

/** What the running daemon knows, asked for with the key of its folder. @throws {UnreachableError} */
export async function fetchStatus({ host, port, dir }: Where): Promise<StatusView> {
  const url = `${localOrigin(host, port)}${path}`;
  const signed = signatureOr(dir);
  try {
    const headers = 'authorization' in signed ? signed : {};
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(requestTimeoutMs) });
    if (!response.ok) throw 'problem' in signed ? signed.problem : new Error(`HTTP ${response.status}`);
    return (await response.json()) as StatusView;
  } catch (err) {
    if (err instanceof UnreachableError) throw err;
    const why = err instanceof Error && err.cause !== undefined ? messageOf(err.cause) : messageOf(err);
    throw new UnreachableError(`no monitor answers at ${url} (${why}); start it with npm run monitor, or set MONITOR_PORT`, { cause: err });
  }
}

/** Without a key there is most often no monitor either, which is what has to be said then. */
function signatureOr(dir: string): { readonly authorization: string } | { readonly problem: unknown } {
  try {
    return { authorization: signCommand(readSigner(dir), `GET ${path}`, Date.now()) };
  } catch (problem) {
    return { problem };
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
