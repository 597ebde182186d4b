import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '#lib/errors.ts';
import type { BackupDeps } from '../deps.ts';
import { BackupNotFoundError } from '../errors.ts';
import { measureFile, type StoredFile } from './durable-files.ts';
import { readManifest, setIdPattern, type BackupState, type Manifest } from './manifest.ts';

export type BackupSummary = {
  readonly id: string;
  /** Instant of the snapshot, ISO 8601 in UTC. */
  readonly takenAt: string;
  /** `written`: not proved yet; `verified`: was restored and compared equal; `failed`: must not be relied on. */
  readonly state: BackupState;
  /** Dump and globals together. */
  readonly sizeBytes: number;
  readonly database: string;
  readonly kind: Manifest['kind'];
  /** When it was last verified or found bad. */
  readonly verifiedAt?: string;
  /** How long the verifying restore took: the measured recovery time. */
  readonly restoreMs?: number;
  /** Why it is `failed`; else empty. */
  readonly reasons: readonly string[];
};

export type BackupSet = { readonly id: string; readonly path: string; readonly manifest: Manifest };
type DamagedSet = { readonly id: string; readonly path: string; readonly reason: string };

export type Catalogue = {
  /** Newest first. */
  readonly sets: readonly BackupSet[];
  /** Folders that are named like a set and hold no valid manifest; newest first. */
  readonly damaged: readonly DamagedSet[];
};

/** Reads the manifests in a folder: they are the only truth. Whatever is not named like a set is left out. */
export async function readCatalogue(dir: string): Promise<Catalogue> {
  const names = await readdir(dir).catch((err: unknown) => {
    if ((err as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw err;
  });
  const ids = names.filter((name) => setIdPattern.test(name)).toSorted((a, b) => (a < b ? 1 : -1));
  const sets: BackupSet[] = [];
  const damaged: DamagedSet[] = [];
  for (const id of ids) {
    const found = await readSet(dir, id);
    if ('manifest' in found) sets.push(found);
    else damaged.push(found);
  }
  return { sets, damaged };
}

async function readSet(dir: string, id: string): Promise<BackupSet | DamagedSet> {
  const path = join(dir, id);
  try {
    const manifest = await readManifest(path);
    if (manifest.id === id) return { id, path, manifest };
    return { id, path, reason: `manifest.json: it belongs to set ${manifest.id}` };
  } catch (err) {
    return { id, path, reason: messageOf(err) };
  }
}

/** All whole sets, newest first; empty when the folder does not exist. */
export async function listBackups(dir: string): Promise<BackupSummary[]> {
  const { sets } = await readCatalogue(dir);
  return sets.map(({ manifest }) => summarise(manifest));
}

export function summarise(manifest: Manifest): BackupSummary {
  const { id, takenAt, state, database, kind, verification } = manifest;
  return {
    id,
    takenAt,
    state,
    sizeBytes: sizeOf(manifest),
    database,
    kind,
    ...(verification ? { verifiedAt: verification.at } : {}),
    ...(verification?.restoreMs === undefined ? {} : { restoreMs: verification.restoreMs }),
    reasons: state === 'failed' ? (verification?.reasons ?? []) : [],
  };
}

export function sizeOf(manifest: Manifest): number {
  return Object.values(manifest.files).reduce((sum, file) => sum + file.sizeBytes, 0);
}

/**
 * The set meant by an id or by `latest`: the newest regular one of that database. One whose manifest is damaged counts,
 * since skipping it would hide the damage.
 * @throws {BackupNotFoundError} saying what there is instead.
 */
export function findSet(catalogue: Catalogue, which: string, database: string): BackupSet | DamagedSet {
  const all = [...catalogue.sets, ...catalogue.damaged];
  if (which !== 'latest') {
    const named = all.find((set) => set.id === which);
    if (named) return named;
    throw new BackupNotFoundError(`there is no backup "${which}"; npm run backup -- list shows those there are`);
  }
  const candidates = all.filter((set) => !('manifest' in set) || (set.manifest.kind === 'regular' && set.manifest.database === database));
  const newest = candidates.toSorted((a, b) => (a.id < b.id ? 1 : -1))[0];
  if (newest) return newest;
  const instead = all.length === 0 ? 'take one with npm run backup -- take' : 'name one by its id: npm run backup -- list';
  throw new BackupNotFoundError(`there is no backup of database "${database}"; ${instead}`);
}

/**
 * As `findSet`, for a restore: `latest` passes over sets that are known to be bad.
 * @throws {BackupNotFoundError} also when all there are have failed, saying why the newest did.
 */
export function findUsableSet(catalogue: Catalogue, which: string, database: string): BackupSet | DamagedSet {
  const newest = findSet(catalogue, which, database);
  if (which !== 'latest' || !('manifest' in newest) || newest.manifest.state !== 'failed') return newest;
  const usable = { ...catalogue, sets: catalogue.sets.filter(({ manifest }) => manifest.state !== 'failed') };
  try {
    return findSet(usable, which, database);
  } catch (err) {
    const why = newest.manifest.verification?.reasons.join('; ') ?? 'unknown';
    const text = `every backup of database "${database}" failed verification, the newest (${newest.id}) by: ${why}`;
    throw new BackupNotFoundError(`${text}; take another, or name one by its id to try it all the same`, { cause: err });
  }
}

/** What is wrong with the files of a set, one line each beginning with the file's name; empty when they are as written. */
export async function findDamage(set: BackupSet, deps: Pick<BackupDeps, 'signal' | 'onProgress'>): Promise<string[]> {
  const reasons: string[] = [];
  for (const [name, expected] of Object.entries(set.manifest.files)) {
    const reason = await damageOf(join(set.path, name), expected, deps);
    if (reason) reasons.push(`${name}: ${reason}`);
  }
  return reasons;
}

async function damageOf(path: string, expected: StoredFile, deps: Pick<BackupDeps, 'signal' | 'onProgress'>): Promise<string | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (!found) return 'missing';
  if (found.size !== expected.sizeBytes) return `${found.size} bytes, ${expected.sizeBytes} were written`;
  const actual = await measureFile(path, (bytes) => deps.onProgress?.({ step: 'checksum', bytes }), deps.signal);
  return actual.sha256 === expected.sha256 ? undefined : 'the SHA-256 differs; bytes have changed since it was written';
}
