import { UnreachableError, messageOf } from '#lib/errors.ts';
import type { StatusView } from '../status-page/status-view.ts';

const requestTimeoutMs = 5_000;

/** What the running daemon knows. @throws {UnreachableError} */
export async function fetchStatus(host: string, port: number): Promise<StatusView> {
  // A daemon that listens on every address is asked on this one.
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
  const url = `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}/api/status`;
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
  const targets = view.targets.map(
    ({ name, status, latency_ms: latencyMs, detail }) =>
      `${name.padEnd(14)} ${status.padEnd(9)} ${(latencyMs === null ? '–' : `${latencyMs} ms`).padStart(10)}  ${detail}`,
  );
  const channels = view.channels?.map(({ name, pending, failed }) => `${name}: ${pending} waiting, ${failed} refused`) ?? [
    'store unreadable',
  ];
  return [
    ...targets,
    `alerts         ${channels.join('; ') || 'no channel'}`,
    `backups        ${view.backups.state}`,
    ...(view.monitor.reasons.length > 0 ? [`monitor        ${view.monitor.status}: ${view.monitor.reasons.join('; ')}`] : []),
  ].join('\n');
}
