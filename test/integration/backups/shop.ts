import { createHash } from 'node:crypto';
import { spawn, spawnSync } from 'node:child_process';
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Client } from 'pg';
import { onTestFinished } from 'vitest';
import type { BackupDeps } from '#backups/deps.ts';
import { withSession } from '#backups/postgres/connection.ts';
import { compareFingerprints, takeFingerprint } from '#backups/postgres/fingerprint.ts';
import { lockFileName } from '#backups/set/folder-lock.ts';
import type { Fingerprint } from '#backups/set/manifest.ts';
import { clientOptions } from '#lib/postgres.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { createDatabase } from '#test/support/database.ts';
import { compiledOnce } from '#test/support/clean-environment.ts';

/** Why tests that dump cannot run on this machine; undefined when they can. */
export const missingClient: string | undefined =
  spawnSync('pg_dump', ['--version']).status === 0 ? undefined : 'pg_dump is not installed: apt-get install postgresql-client';

/** A folder that goes when the test ends. */
export async function temporaryFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'atalaya-backups-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** A database with content of many kinds, and an empty backup folder; both go when the test ends. */
export async function openShop(): Promise<BackupDeps> {
  const database = await createDatabase();
  onTestFinished(database.drop);
  const dir = await temporaryFolder();
  await query(database.settings, schema);
  return { postgres: database.settings, dir: join(dir, 'sets'), now: () => new Date() };
}

/** Text forms of these depend on session settings, on order, or on quoting; some rows are equal. */
const schema = `
  CREATE TABLE products (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, price_cents bigint CHECK (price_cents > 0),
    stock int, made timestamptz, shelf interval, weight float8, photo bytea, tags text[], extra jsonb, value money);
  INSERT INTO products (name, price_cents, stock, made, shelf, weight, photo, tags, extra, value)
    SELECT 'Café №' || i, i * 7 + 1, i % 50, timestamptz '2026-03-29 00:30+00' + i * interval '1 h', i * interval '1 day 2 h',
           i / 3.0, decode(md5(i::text), 'hex'), ARRAY['a', NULL, 'b,' || i], jsonb_build_object('n', i), i::numeric::money
    FROM generate_series(1, 2000) i;
  CREATE TABLE moves (product_id bigint REFERENCES products, quantity int);
  INSERT INTO moves SELECT 1 + i % 2000, 1 FROM generate_series(1, 4000) i;
  CREATE TABLE "Odd ""Name" (atalaya_row int, t text, dropped int); ALTER TABLE "Odd ""Name" DROP dropped;
  INSERT INTO "Odd ""Name" VALUES (1, 'x'), (NULL, NULL);
  CREATE TABLE logs (day date, line text) PARTITION BY RANGE (day);
  CREATE TABLE logs_2026 PARTITION OF logs FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
  INSERT INTO logs SELECT date '2026-01-01' + i % 300, md5(i::text) FROM generate_series(1, 1000) i;
  CREATE TABLE empty_table ();
  CREATE SCHEMA archive;
  CREATE TABLE archive.products (LIKE products);
  CREATE MATERIALIZED VIEW totals AS SELECT count(*) FROM products;`;

export async function query<Row extends Record<string, unknown>>(settings: PostgresSettings, sql: string): Promise<Row[]> {
  const client = new Client(clientOptions(settings, 'atalaya-test'));
  await client.connect();
  try {
    const result = await client.query<Row>(sql);
    return result.rows;
  } finally {
    await client.end();
  }
}

/** How a database differs from a fingerprint. */
export function differencesOf(database: PostgresSettings, expected: Fingerprint): Promise<string[]> {
  return withSession(database, undefined, async ({ client }) => {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    return compareFingerprints(expected, await takeFingerprint(client, expected.hashing ?? 'text'));
  });
}

/** What the name of a scratch database begins with, for content of this database. */
export const scratchPrefix = (deps: BackupDeps): string =>
  `atalaya_scratch_${createHash('sha256').update(deps.postgres.POSTGRES_DB).digest('hex').slice(0, 8)}`;

/** Scratch databases there are of this database's content. */
export async function scratchDatabases(deps: BackupDeps): Promise<string[]> {
  const maintenance = { ...deps.postgres, POSTGRES_DB: 'postgres' };
  const rows = await query<{ datname: string }>(
    maintenance,
    `SELECT datname FROM pg_database WHERE starts_with(datname, '${scratchPrefix(deps)}')`,
  );
  return rows.map((row) => row.datname);
}

/**
 * A PATH on which scripts stand in for programs. In a script, REAL is the path of the program it stands for.
 * @returns the value for PATH; the folder goes when the test ends.
 */
export async function pathWith(scripts: Readonly<Record<string, string>>, rest = process.env['PATH'] ?? ''): Promise<string> {
  const dir = await temporaryFolder();
  for (const [name, body] of Object.entries(scripts)) {
    const real = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim();
    await writeFile(join(dir, name), `#!/bin/sh\nREAL=${real}\n${body}\n`);
    await chmod(join(dir, name), 0o755);
  }
  return [dir, rest].join(delimiter);
}

/** Runs `work` while this process finds programs on another PATH. */
export async function onPath<T>(path: string, work: () => Promise<T>): Promise<T> {
  const before = process.env['PATH'];
  process.env['PATH'] = path;
  try {
    return await work();
  } finally {
    process.env['PATH'] = before;
  }
}

export type CliRun = {
  readonly pid: number;
  readonly kill: (signal: NodeJS.Signals) => void;
  readonly ended: Promise<{ readonly status: number | null; readonly stdout: string; readonly stderr: string }>;
};

/** Starts `npm run backup -- …` as a process of its own. */
export function startCli(deps: BackupDeps, args: readonly string[], env: Readonly<Record<string, string>> = {}): CliRun {
  const settings = Object.entries(deps.postgres).map(([name, value]) => [name, String(value)]);
  const child = spawn(process.execPath, ['backups/cli.ts', ...args], {
    env: { PATH: process.env['PATH'], ...compiledOnce, BACKUP_DIR: deps.dir, ...Object.fromEntries(settings), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve) => {
    child.once('close', (status) => resolve({ status, stdout, stderr }));
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { pid: child.pid ?? 0, kill: (signal) => child.kill(signal), ended };
}

export const runCli: (...args: Parameters<typeof startCli>) => CliRun['ended'] = (...args) => startCli(...args).ended;

/** Whatever is in a backup folder but the file of its lock, which stays. */
export async function setsAndLeftovers(deps: BackupDeps): Promise<string[]> {
  return (await readdir(deps.dir)).filter((name) => name !== lockFileName);
}
