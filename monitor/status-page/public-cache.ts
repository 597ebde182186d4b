import { createHash } from 'node:crypto';
import type Koa from 'koa';
import type { IncidentRecords } from '../store/store.ts';
import { presentPublic, type PublicView } from './public-view.ts';
import type { StatusSnapshot } from './status-snapshot.ts';

/** What the public sees, as of one moment; the same object until something, or the minute, is another. */
export type PublicState = { readonly snapshot: StatusSnapshot; readonly view: PublicView; readonly version: string };

const freshMs = 1_000;

/**
 * Takes what the public sees at most once a second, however many ask.
 * @returns the state, at most a second old
 */
export function createPublicState(
  takeSnapshot: () => Promise<StatusSnapshot>,
  records: Pick<IncidentRecords, 'notesOf'>,
): () => Promise<PublicState> {
  let held: { readonly atMs: number; readonly state: Promise<PublicState> } | undefined;
  const take = async (before: PublicState | undefined): Promise<PublicState> => {
    const snapshot = await takeSnapshot();
    const notes = records.notesOf(snapshot.incidents?.map(({ id }) => id) ?? []);
    const light = presentPublic({ ...snapshot, readTallies: () => [] }, notes);
    const version = versionOf(light);
    return before?.version === version ? before : { snapshot, view: presentPublic(snapshot, notes), version };
  };
  return () => {
    const nowMs = performance.now();
    if (held && nowMs - held.atMs < freshMs) return held.state;
    const before = held?.state.catch(() => undefined) ?? Promise.resolve(undefined);
    const state = before.then(take);
    held = { atMs: nowMs, state };
    // What failed is tried again by the next who asks.
    state.catch(() => (held = undefined));
    return state;
  };
}

const versionOf = (view: PublicView): string => createHash('sha256').update(JSON.stringify(view)).digest('base64url').slice(0, 16);

/** Bodies made once for each version, and sent only to who has not got them yet. */
export function createBodyCache(): (ctx: Koa.Context, version: string, key: string, make: () => string) => void {
  const bodies = new Map<string, { readonly version: string; readonly body: string; readonly tag: string }>();
  return (ctx, version, key, make) => {
    let held = bodies.get(key);
    if (held?.version !== version) {
      const body = make();
      held = { version, body, tag: createHash('sha256').update(body).digest('base64url').slice(0, 22) };
      bodies.set(key, held);
    }
    // Kept by browsers, and asked for each time whether it is still the same.
    ctx.set('cache-control', 'no-cache');
    ctx.status = 200;
    ctx.etag = held.tag;
    if (ctx.fresh) ctx.status = 304;
    else ctx.body = held.body;
  };
}
