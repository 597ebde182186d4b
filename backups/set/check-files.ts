import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { BackupDeps } from '../backup-deps.ts';
import type { BackupSet } from './catalogue.ts';
import { measureFile, type StoredFile } from './durable-files.ts';

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
