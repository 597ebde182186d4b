import { UnreachableError, UsageError, messageOf } from '#lib/errors.ts';
import { localOrigin } from '#lib/listen.ts';
import { parseDuration, showTime } from '#lib/show.ts';
import type { Command } from '../quiet/command.ts';
import { readSigner, signCommand } from '../quiet/signature.ts';
import { whom } from '../status-page/quiet-view.ts';
import type { DoneView } from '../status-page/control-pages.ts';

const requestTimeoutMs = 5_000;

export type Where = { readonly host: string; readonly port: number; readonly dir: string };

/**
 * Asks the running monitor to do something, signed with the key of its folder.
 * @throws {UnreachableError} none answers · {UsageError} it cannot be done as asked
 */
export async function askMonitor({ host, port, dir }: Where, command: Command): Promise<DoneView> {
  const url = `${localOrigin(host, port)}/api/control`;
  const body = JSON.stringify(command);
  const headers = { authorization: signCommand(readSigner(dir), body, Date.now()), 'content-type': 'application/json' };
  let response: Response;
  try {
    response = await fetch(url, { method: 'POST', headers, body, signal: AbortSignal.timeout(requestTimeoutMs) });
  } catch (err) {
    const why = err instanceof Error && err.cause !== undefined ? messageOf(err.cause) : messageOf(err);
    throw new UnreachableError(`no monitor answers at ${url} (${why}); start it with npm run monitor, or set MONITOR_PORT`, { cause: err });
  }
  const answer: unknown = await response.json().catch(() => ({}));
  if (response.ok) return answer as DoneView;
  const { detail = `HTTP ${response.status}` } = answer as { detail?: string };
  if (response.status === 422) throw new UsageError(`${command.do}: ${detail}`);
  throw new UnreachableError(`the monitor at ${url} does not do it: ${detail}`);
}

/** What `silence` was called with, as a command; `all` stands for every target. @throws {UsageError} */
export function silenceCommand(
  targets: readonly string[],
  flags: { readonly for: unknown; readonly reason: unknown; readonly by: string },
): Command {
  const forMs = typeof flags.for === 'string' ? parseDuration(flags.for) : undefined;
  if (forMs === undefined) throw new UsageError('silence: --for must be a duration such as 30m or 2h');
  if (typeof flags.reason !== 'string') throw new UsageError('silence: --reason must say what it is for');
  return { do: 'silence', targets: targets.includes('all') ? null : [...targets], for_ms: forMs, by: flags.by, reason: flags.reason };
}

export function describeDone(done: DoneView): string {
  if (done.done === 'ack') {
    const words = { acknowledged: 'taken on', already: 'taken on already' }[done.outcome];
    return done.incidents.map(({ target, id, acknowledged_by: by }) => `${target}: ${words} by ${by} (${id})`).join('\n');
  }
  if (done.done === 'note')
    return `${done.note.incident_id}: ${done.note.kind === 'note' ? 'note' : 'post-mortem'} kept, ${done.note.is_public ? 'for everybody' : 'for operators'}`;
  const { name, ends_at: endsAt } = done.silence;
  const what = `${name}: ${whom(done.silence)}`;
  return done.done === 'silence' ? `${what} silenced until ${showTime(endsAt)}` : `${what} no longer silenced`;
}
