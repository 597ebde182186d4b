import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { BusyError } from '#lib/errors.ts';
import { guarded } from './database.ts';

export type ProcessLock = { readonly release: () => void };

/**
 * Makes this process the only daemon on a folder. The lock is a file lock of the kernel, held through an open
 * transaction, so that it ends with the process however that ends. A second file names the holder, for people only.
 * @throws {BusyError} naming the holder
 * @throws {StoreError} when the folder cannot be used
 */
export function takeProcessLock(dir: string, now: Date): ProcessLock {
  return guarded(`needs the folder ${dir}`, () => {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const holderFile = join(dir, 'monitor.lock.json');
    const connection = new DatabaseSync(join(dir, 'monitor.lock'), { timeout: 0 });
    try {
      connection.exec('BEGIN EXCLUSIVE');
    } catch (err) {
      connection.close();
      if ((err as { errcode?: number }).errcode !== 5) throw err;
      throw new BusyError(`another monitor runs on ${dir}${describeHolder(holderFile)}; stop it or set MONITOR_DATA_DIR`, { cause: err });
    }
    writeFileSync(holderFile, JSON.stringify({ pid: process.pid, host: hostname(), since: now.toISOString() }), { mode: 0o600 });
    return {
      release: () => {
        rmSync(holderFile, { force: true });
        connection.close();
      },
    };
  });
}

function describeHolder(file: string): string {
  try {
    const { pid, host, since } = JSON.parse(readFileSync(file, 'utf8')) as { pid: number; host: string; since: string };
    return ` (process ${pid} on ${host} since ${since})`;
  } catch {
    return '';
  }
}
