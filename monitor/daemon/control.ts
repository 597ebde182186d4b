import { UsageError } from '#lib/errors.ts';
import { nearestWord } from '#lib/misspelt.ts';
import type { Watch } from '../health/watch.ts';
import type { Beat } from '../model/beat.ts';
import type { Note } from '../model/incident.ts';
import type { Beats } from '../probes/beats.ts';
import type { Command } from '../quiet/command.ts';
import type { Silences } from '../quiet/silences.ts';
import type { Done } from '../status-page/control-pages.ts';
import type { MonitorStore } from '../store/store.ts';

export type ControlDeps = {
  readonly silences: Silences;
  readonly watch: Pick<Watch, 'acknowledge' | 'snapshot'>;
  readonly store: Pick<MonitorStore, 'incident' | 'write'>;
};

/**
 * Does what somebody who may asks of the running monitor. The answer comes once it is on record.
 * @throws {UsageError} it cannot be done as asked · {StoreError}
 */
export function obey({ silences, watch, store }: ControlDeps, command: Command): Done {
  if (command.do === 'note') return addNote(store, command);
  if (command.do === 'ack') return acknowledge(watch, command);
  if (command.do === 'unsilence') return { done: 'unsilence', silence: silences.end(command.name, command.by) };
  const watched = watch.snapshot().map(({ name }) => name);
  for (const target of command.targets ?? []) if (!watched.includes(target)) throw unknownTarget(target, watched);
  const { by, reason, targets, for_ms: forMs } = command;
  return { done: 'silence', silence: silences.add({ targets: targets ?? undefined, forMs, by, reason }) };
}

/**
 * Hears what a job says of itself.
 * @returns false where no heartbeat of that name is watched
 * @throws {StoreError} it is heard, and would be forgotten by a restart
 */
export function hear(
  { beats, watch }: { readonly beats: Beats; readonly watch: Pick<Watch, 'snapshot'> },
  probe: string,
  beat: Beat,
): boolean {
  const isWatched = watch.snapshot().some(({ name, kind }) => name === probe && kind === 'heartbeat');
  if (isWatched) beats.hear(probe, beat);
  return isWatched;
}

function addNote(store: ControlDeps['store'], { of, by, kind, is_public: isPublic, text }: Extract<Command, { do: 'note' }>): Done {
  if (!store.incident(of)) throw new UsageError(`no incident has the id ${of}; npm run monitor -- incidents --json lists them`);
  const note: Note = { incidentId: of, at: Date.now(), by, kind, isPublic, text };
  store.write({ health: [], incidents: [], messages: [], notes: [note] });
  return { done: 'note', note };
}

function acknowledge(watch: ControlDeps['watch'], { of, by }: Extract<Command, { do: 'ack' }>): Done {
  const answer = watch.acknowledge(of, by);
  if (answer.outcome === 'unknown')
    throw new UsageError(`nothing that goes on is named ${of}; npm run monitor -- incidents lists what does`);
  if (answer.outcome === 'untold') throw new UsageError(`nobody has been told of ${of} yet, so there is nothing to take on`);
  return { done: 'ack', ...answer };
}

function unknownTarget(target: string, watched: readonly string[]): UsageError {
  const nearest = nearestWord(target, watched);
  return new UsageError(
    `${target} is not watched; ${nearest === undefined ? `watched are ${watched.join(', ')}` : `did you mean ${nearest}?`}`,
  );
}
