import { readFileSync } from 'node:fs';
import { readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import * as z from 'zod';
import { BusyError } from '#lib/errors.ts';
import { BackupFailedError } from '../errors.ts';

/** In BACKUP_DIR while a verb changes what is there; its text names the holder. */
export const lockFileName = '.lock';

const holderSchema = z.object({
  token: z.string(),
  pid: z.int().positive(),
  /** Tells a process from a later one of the same number; empty where the system does not say. */
  processStart: z.string(),
  host: z.string(),
  verb: z.string(),
  since: z.iso.datetime(),
});

type Holder = z.output<typeof holderSchema>;

export type DirectoryLock = {
  /** @throws {BackupFailedError} when another run has taken the lock over; call it before anything irrevocable. */
  readonly assertHeld: () => Promise<void>;
  readonly release: () => Promise<void>;
};

/** How often the holder touches the lock, and after what silence one of another host (or container) counts as dead. */
const touchEveryMs = 30_000;
const staleAfterMs = 10 * 60 * 1000;

/**
 * Takes the lock of a backup folder, or takes it over from a holder that no longer lives: on this host at once, from
 * another host after ten minutes without a sign of life.
 * @throws {BusyError} at once, naming the holder.
 */
export async function lockDirectory(dir: string, verb: string, now: Date): Promise<DirectoryLock> {
  const path = join(dir, lockFileName);
  const processStart = startOf(process.pid) ?? '';
  const me: Holder = { token: randomUUID(), pid: process.pid, processStart, host: hostname(), verb, since: now.toISOString() };
  for (let attempt = 0; attempt < 10; attempt += 1) {
    if (await tryCreate(path, me)) return heldLock(path, me);
    const holder = await readHolder(path);
    if (holder === 'gone') continue;
    if (!(await isStale(path, holder))) throw new BusyError(describe(dir, holder));
    await takeAway(path, holder);
  }
  throw new BusyError(`${path} changes hands too quickly; try again`);
}

async function tryCreate(path: string, me: Holder): Promise<boolean> {
  try {
    await writeFile(path, `${JSON.stringify(me)}\n`, { flag: 'wx', mode: 0o600 });
    return true;
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw err;
  }
}

/** The holder by the lock's text; undefined when the text is not whole, which lasts only while it is being written. */
async function readHolder(path: string): Promise<Holder | undefined | 'gone'> {
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text === undefined) return 'gone';
    const holder = parseHolder(text);
    if (holder) return holder;
    await sleep(20);
  }
  return undefined;
}

function parseHolder(text: string): Holder | undefined {
  try {
    return holderSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

async function isStale(path: string, holder: Holder | undefined): Promise<boolean> {
  if (holder?.host === hostname()) return !isAlive(holder);
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > staleAfterMs;
}

function isAlive(holder: Holder): boolean {
  try {
    process.kill(holder.pid, 0);
  } catch (err) {
    if ((err as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const start = startOf(holder.pid);
  return start === undefined || holder.processStart === '' || start === holder.processStart;
}

/** Field 22 of /proc/PID/stat; the program's name before it may hold spaces and brackets. */
function startOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[19];
  } catch {
    return undefined;
  }
}

/** Removes a dead holder's lock, unless another run has been quicker and the lock is now its own. */
async function takeAway(path: string, stale: Holder | undefined): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  await rename(path, aside).catch(() => undefined);
  const moved = await readHolder(aside);
  if (moved === 'gone') return;
  if (moved?.token === stale?.token) await rm(aside, { force: true });
  else await rename(aside, path);
}

function heldLock(path: string, me: Holder): DirectoryLock {
  const timer = setInterval(() => {
    const time = new Date();
    void utimes(path, time, time).catch(() => {});
  }, touchEveryMs);
  timer.unref();
  const isMine = async (): Promise<boolean> => {
    const holder = await readHolder(path);
    return typeof holder === 'object' && holder.token === me.token;
  };
  return {
    assertHeld: async () => {
      if (!(await isMine())) throw new BackupFailedError(`${path} was taken over by another run; nothing was published`);
    },
    release: async () => {
      clearInterval(timer);
      if (await isMine()) await rm(path, { force: true });
    },
  };
}

function describe(dir: string, holder: Holder | undefined): string {
  if (!holder) return `${join(dir, lockFileName)} is held by an unknown run; try again later`;
  const { verb, pid, host, since } = holder;
  return `${dir} is in use by "${verb}" (process ${pid} on ${host}, since ${since}); try again when it has ended`;
}

/** Two numbers that no other advisory lock of the project uses: "bkup", and 1 for taking. */
const advisoryKey = [0x62_6b_75_70, 1] as const;

/**
 * Locks the database itself for taking a backup, whatever folder or host it goes to. The lock ends with the session.
 * @throws {BusyError} at once, naming the session that holds it.
 */
export async function lockDatabase(client: Client): Promise<void> {
  const { rows } = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1, $2) AS locked', [...advisoryKey]);
  if (rows[0]?.locked) return;
  const holder = await client.query<{ text: string }>(
    `SELECT format('process %s of %s from %s, since %s', a.pid, a.application_name, coalesce(host(a.client_addr), 'a local socket'),
                   to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) AS text
     FROM pg_locks l JOIN pg_stat_activity a USING (pid)
     WHERE l.locktype = 'advisory' AND l.classid = $1::int8::oid AND l.objid = $2::int8::oid AND l.granted
       AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())`,
    [...advisoryKey],
  );
  throw new BusyError(
    `this database is being backed up already (server ${holder.rows[0]?.text ?? 'session has just ended'}); try again later`,
  );
}
