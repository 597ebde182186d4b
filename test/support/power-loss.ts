import { mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { FileEvent } from './trace-writes.ts';

/**
 * What the disk may hold when the power goes:
 * - `forgotten`: only what was synced, contents and names alike;
 * - `names first`: every name made or moved, but of the contents only what was synced;
 * - `contents first`: every content written, but only the names whose folder was synced;
 * - `torn`: every name, and of each file's unsynced writes a part, as chance has it.
 */
export type Loss = 'forgotten' | 'names first' | 'contents first' | 'torn';

export type Crash = {
  readonly loss: Loss;
  /** Which sync was about to happen, such as `fsync 7 of monitor.db-wal`; `the end` after the last. */
  readonly before: string;
  /** What the program had said by then. */
  readonly said: string;
  /** Puts what is left of the folder there. */
  readonly restoreTo: (folder: string) => void;
};

type File = { readonly node: 'file'; live: Buffer; synced: Buffer; unsynced: FileEvent[] };
type Folder = { readonly node: 'folder'; readonly live: Map<string, Node>; synced: Map<string, Node> };
type Node = File | Folder;

const losses: readonly Loss[] = ['forgotten', 'names first', 'contents first', 'torn'];

/**
 * Every state in which a loss of power may leave a folder that was empty at first: at each sync, just before it takes
 * effect, and at the end, each in the four ways of {@link Loss}. Strict as POSIX has it: syncing a file does not make its name last.
 * @param random 0–1, decides what a torn write leaves
 */
export function* crashesOf(events: readonly FileEvent[], folder: string, random: () => number): Generator<Crash> {
  const root = newFolder();
  let said = '';
  let syncs = 0;
  for (const event of events) {
    if (event.kind === 'say') said += event.said;
    else if (isBelow(event.path, folder)) {
      if (event.kind === 'sync') {
        syncs += 1;
        yield* statesAt(root, { before: `fsync ${syncs} of ${relative(folder, event.path) || 'the folder'}`, said, random });
      }
      apply(root, folder, event);
    }
  }
  yield* statesAt(root, { before: 'the end', said, random });
}

const isBelow = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);
const newFolder = (): Folder => ({ node: 'folder', live: new Map(), synced: new Map() });

function* statesAt(root: Folder, at: { before: string; said: string; random: () => number }): Generator<Crash> {
  for (const loss of losses) {
    yield { loss, before: at.before, said: at.said, restoreTo: (target) => materialise(root, target, loss, at.random) };
  }
}

function apply(root: Folder, folder: string, event: Exclude<FileEvent, { kind: 'say' }>): void {
  const steps = relative(folder, event.path).split('/').filter(Boolean);
  const name = steps.at(-1) ?? '';
  if (event.kind === 'rename') {
    const target = relative(folder, event.to).split('/');
    const moved = parentOf(root, steps).live.get(name) as Node;
    parentOf(root, steps).live.delete(name);
    parentOf(root, target).live.set(target.at(-1) as string, moved);
    return;
  }
  const node = steps.length === 0 ? root : parentOf(root, steps).live.get(name);
  if (event.kind === 'make') {
    if (!node) parentOf(root, steps).live.set(name, event.node === 'folder' ? newFolder() : newFile());
  } else if (event.kind === 'remove') parentOf(root, steps).live.delete(name);
  // Written after its name was removed: nobody can find it again.
  else if (node === undefined) return;
  else if (event.kind === 'sync') sync(node);
  else if (node.node === 'file') {
    node.live = changed(node.live, event);
    node.unsynced.push(event);
  }
}

const newFile = (): File => ({ node: 'file', live: Buffer.alloc(0), synced: Buffer.alloc(0), unsynced: [] });

function parentOf(root: Folder, steps: readonly string[]): Folder {
  return steps.slice(0, -1).reduce((folder, step) => folder.live.get(step) as Folder, root);
}

function sync(node: Node): void {
  if (node.node === 'folder') {
    node.synced = new Map(node.live);
    return;
  }
  node.synced = node.live;
  node.unsynced = [];
}

/** Never in place: `synced` may be the same buffer. */
function changed(content: Buffer, event: FileEvent): Buffer {
  if (event.kind === 'truncate') {
    const cut = Buffer.alloc(event.size);
    content.copy(cut, 0, 0, Math.min(content.length, event.size));
    return cut;
  }
  if (event.kind !== 'write' || event.bytes.length === 0) return content;
  const grown = Buffer.alloc(Math.max(content.length, event.offset + event.bytes.length));
  content.copy(grown);
  event.bytes.copy(grown, event.offset);
  return grown;
}

function materialise(folder: Folder, target: string, loss: Loss, random: () => number): void {
  mkdirSync(target, { recursive: true });
  const names = loss === 'names first' || loss === 'torn' ? folder.live : folder.synced;
  for (const [name, node] of names) {
    if (node.node === 'folder') materialise(node, join(target, name), loss, random);
    else writeFileSync(join(target, name), contentOf(node, loss, random));
  }
}

function contentOf(file: File, loss: Loss, random: () => number): Buffer {
  if (loss === 'contents first') return file.live;
  if (loss !== 'torn') return file.synced;
  return file.unsynced.filter(() => random() < 0.5).reduce(changed, file.synced);
}
