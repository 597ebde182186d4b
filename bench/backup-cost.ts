import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from 'pg';
import { readEnv, type Environment } from '#lib/env.ts';
import { libpqEnvironment } from '#lib/postgres.ts';
import { cpuSeconds, processTree, readProcesses, residentBytes, type ProcessStat } from '#lib/proc.ts';
import { runCommand, type Command } from '#lib/run-command.ts';
import { postgresEnv, type PostgresSettings } from '#lib/settings.ts';
import { showBytes, showDuration } from '#lib/show.ts';
import { openOwnTarget } from '#loadtest/targets/open-target.ts';
import { spreadOf } from './rounds.ts';
import { withClient } from './run-bench.ts';
import { showSpread } from './show-bench.ts';
import { FloorError } from './start-floor.ts';

export type BackupBenchOptions = {
  readonly rounds: number;
  /** Lines of orders in the database that is made; a million is some 350 MB. */
  readonly millionLines: number;
  readonly env: Environment;
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
};

/** What a program took, with all it started, and the server with what it did for it. */
type Cost = {
  readonly wallMs: number;
  /** Program and server together; the server's part is 0 where it does not run on this machine. */
  readonly cpuMs: number;
  /** The most memory the program and those it started had at one time, looked at every 50 ms; not the server's. */
  readonly peakBytes: number;
};

type BackupBenchResult = {
  readonly databaseBytes: number;
  readonly rounds: readonly { readonly take: Cost; readonly pgDump: Cost }[];
  readonly verify: Cost;
};

/**
 * Puts `backup take` beside a plain `pg_dump -Fc` of the same database, in turns, and measures one `backup verify`.
 * A set POSTGRES_HOST names the database; without it a stack of its own is started and filled.
 */
export async function runBackupBench(options: BackupBenchOptions): Promise<BackupBenchResult> {
  if (options.env['POSTGRES_HOST']) return measureAll(readEnv(postgresEnv, options.env), options);
  options.onProgress('starting a stack of its own');
  const target = await openOwnTarget(options.env, options.signal);
  try {
    if (!target.postgres) throw new FloorError('the stack names no database');
    options.onProgress(`ordering ${options.millionLines} million lines`);
    await withClient(target.postgres, (client) => client.query(fillSql(options.millionLines * 1_000_000)));
    await withClient(target.postgres, (client) => client.query('VACUUM ANALYZE'));
    return await measureAll(target.postgres, options);
  } finally {
    await target.stop();
  }
}

/** Products, clients, orders of 2.5 lines and their movements of stock; nothing in them is there twice but by chance. */
const fillSql = (lines: number): string => `
  INSERT INTO products (name, description, price_cents, stock)
    SELECT 'product ' || n, repeat(md5(n::text) || ' ', 4), 100 + (random() * 90000)::int, 1000 FROM generate_series(1, ${lines / 60}) n;
  INSERT INTO clients (name, lastname, email, telephone, password_hash)
    SELECT left(md5(n::text), 6), left(md5(n || 'l'), 9), 'client' || n || '@bench.test', '+34' || 600000000 + n, md5(n || 'a') || md5(n || 'b')
    FROM generate_series(1, ${lines / 12}) n;
  INSERT INTO orders (date, total_cents, delivery_method, status, client_id)
    SELECT now() - random() * interval '400 days', 500 + (random() * 90000)::int, 1 + n % 3, 1 + n % 4, c.id_key
    FROM generate_series(0, 4) n, clients c LIMIT ${lines / 2.5};
  INSERT INTO order_details (order_id, product_id, quantity, price_cents, product_name)
    SELECT o.id_key, p.id_key, 1 + n % 5, 1 + p.price_cents, p.name
    FROM generate_series(0, 2) n, orders o JOIN products p ON p.id_key = 1 + o.total_cents % ${Math.trunc(lines / 60)} LIMIT ${lines};
  INSERT INTO stock_movements (product_id, quantity, reason, order_id, order_detail_id)
    SELECT product_id, -quantity, 'sale', order_id, id_key FROM order_details ORDER BY id_key DESC LIMIT ${lines};`;

async function measureAll(postgres: PostgresSettings, { rounds, signal, onProgress }: BackupBenchOptions): Promise<BackupBenchResult> {
  const dir = await mkdtemp(join(tmpdir(), 'atalaya-bench-'));
  try {
    const server = await withClient(postgres, describeServer);
    const env = libpqEnvironment(postgres, 'atalaya-bench');
    const measure = (command: Command): Promise<Cost> => measureCommand(command, server.postmaster, signal);
    const dump = (round: number): Command => ({ file: 'pg_dump', args: ['--format=custom', `--file=${join(dir, `${round}.dump`)}`], env });
    const scores: { take: Cost; pgDump: Cost }[] = [];
    for (let round = 0; round < rounds; round += 1) {
      onProgress(`round ${round + 1} of ${rounds}`);
      const takeFirst = round % 2 === 0 ? await measure(backup(postgres, dir, 'take')) : undefined;
      const pgDump = await measure(dump(round));
      scores.push({ pgDump, take: takeFirst ?? (await measure(backup(postgres, dir, 'take'))) });
    }
    onProgress('verifying');
    return { databaseBytes: server.bytes, rounds: scores, verify: await measure(backup(postgres, dir, 'verify', 'latest')) };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** As `npm run backup` starts it: a dump's pieces are dropped at once, and with room for young objects would lie about by the 40 MB. */
const backupArgs = ['--max-semi-space-size=1', resolve(import.meta.dirname, '../backups/cli.ts')];

function backup(postgres: PostgresSettings, dir: string, ...args: readonly string[]): Command {
  const settings = Object.entries(postgres).filter(([name, value]) => name in postgresEnv && value !== undefined);
  const env = { ...Object.fromEntries(settings.map(([name, value]) => [name, String(value)])), BACKUP_DIR: join(dir, 'sets') };
  return { file: process.execPath, args: [...backupArgs, ...args], env };
}

type Server = { readonly bytes: number; readonly postmaster: number | undefined };

/** The process all others of the server descend from, where it runs here. */
async function describeServer(client: Client): Promise<Server> {
  const { rows } = await client.query<{ bytes: string; pid: number }>(
    `SELECT pg_database_size(current_database())::text AS bytes, pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'`,
  );
  const checkpointer = (await readProcesses()).find(({ pid, name }) => pid === rows[0]?.pid && name === 'postgres');
  return { bytes: Number(rows[0]?.bytes), postmaster: checkpointer?.parent };
}

/** Sessions that have just ended are counted once the server has waited for them. */
const settleMs = 300;
const lookMs = 50;
const longestMs = 60 * 60_000;

async function measureCommand(command: Command, postmaster: number | undefined, signal: AbortSignal): Promise<Cost> {
  const own = [process.pid, postmaster];
  const endedCpu = async (): Promise<number> => endedSeconds((await readProcesses()).filter(({ pid }) => own.includes(pid)));
  const before = await endedCpu();
  const startedAt = performance.now();
  const looking = new AbortController();
  const peak = watchMemory(looking.signal);
  await runCommand(command, { timeoutMs: longestMs, signal }).finally(() => looking.abort());
  const wallMs = performance.now() - startedAt;
  await sleep(settleMs);
  return { wallMs, cpuMs: 1_000 * ((await endedCpu()) - before), peakBytes: await peak };
}

const endedSeconds = (processes: readonly ProcessStat[]): number =>
  cpuSeconds(processes.map((one) => ({ ...one, cpuTicks: one.endedChildrenTicks })));

/** A child that has not become its program yet shares all its memory with its parent, whose name it still has. */
async function watchMemory(signal: AbortSignal): Promise<number> {
  let peak = 0;
  while (!signal.aborted) {
    const others = (await readProcesses()).filter(({ pid }) => pid !== process.pid);
    for (const root of others.filter(({ parent }) => parent === process.pid)) {
      const tree = processTree(others, root.pid).filter(({ pid, name }) => pid === root.pid || name !== root.name);
      peak = Math.max(peak, residentBytes(tree));
    }
    await sleep(lookMs, undefined, { signal }).catch(() => {});
  }
  return peak;
}

/** The result for people. Pure. */
export function showBackupBench({ databaseBytes, rounds, verify }: BackupBenchResult): string {
  const ratio = (read: (cost: Cost) => number): string =>
    showSpread(spreadOf(rounds.map(({ take, pgDump }) => read(take) / read(pgDump))), (value) => value.toFixed(2));
  return [
    `backup take beside pg_dump -Fc of the same database of ${showBytes(databaseBytes)}, ${rounds.length} alternating rounds`,
    row(
      'take',
      rounds.map(({ take }) => take),
    ),
    row(
      'pg_dump',
      rounds.map(({ pgDump }) => pgDump),
    ),
    `  ratio    ${ratio(({ wallMs }) => wallMs)} · CPU, the server's included, ${ratio(({ cpuMs }) => cpuMs)}`,
    row('verify', [verify]),
    'Median (least to most over rounds); ratios are taken within a round. Where others use the machine, CPU is what to look at.',
  ].join('\n');
}

function row(name: string, costs: readonly Cost[]): string {
  const part = (read: (cost: Cost) => number, show: (value: number) => string): string => showSpread(spreadOf(costs.map(read)), show);
  const [wall, cpu] = [part(({ wallMs }) => wallMs, showDuration), part(({ cpuMs }) => cpuMs, showDuration)];
  return `  ${name.padEnd(8)} ${wall} · CPU ${cpu} · memory ${part(({ peakBytes }) => peakBytes, showBytes)}`;
}
