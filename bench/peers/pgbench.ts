import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { claimKey, storeAnswer } from '#api/http/idempotency.ts';
import { libpqEnvironment } from '#lib/postgres.ts';
import { runCommand } from '#lib/run-command.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { lockProducts, oneProduct, recordOrder, takeStock } from '../floor-statements.ts';
import type { Score } from '../rounds.ts';

export type PgbenchArena = {
  readonly postgres: PostgresSettings;
  readonly connections: number;
  readonly catalogue: { readonly goods: { readonly products: readonly { readonly id: number }[] } };
  readonly users: readonly unknown[];
  readonly phase: { readonly durationMs: number };
  readonly signal: AbortSignal;
};

/** What the database gives when nothing stands between: the floor's statements, prepared, asked by pgbench. */
export async function playPgbench(workload: 'read' | 'order', arena: PgbenchArena): Promise<Score> {
  const { postgres, connections, phase, signal } = arena;
  const dir = await mkdtemp(join(tmpdir(), 'atalaya-pgbench-'));
  try {
    const file = join(dir, 'script.sql');
    const ids = arena.catalogue.goods.products.map(({ id }) => id);
    await writeFile(file, scripts[workload](Math.min(...ids), Math.max(...ids)));
    const seconds = Math.max(1, Math.round(phase.durationMs / 1_000));
    const args = ['-n', '-M', 'prepared', '-c', `${connections}`, '-j', '2', '-T', `${seconds}`, '-f', file];
    const env = libpqEnvironment(postgres, 'atalaya-bench');
    const { stdout } = await runCommand({ file: 'pgbench', args, env }, { timeoutMs: phase.durationMs + 60_000, signal });
    return scoreOf(stdout);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** What pgbench says at its end. Pure. */
export function scoreOf(text: string): Score {
  const numberAfter = (words: RegExp): number => Number(words.exec(text)?.[1] ?? Number.NaN);
  return {
    requestsPerSecond: numberAfter(/^tps = ([\d.]+)/m),
    p50Ms: null,
    p99Ms: null,
    cpuMs: null,
    requests: numberAfter(/^number of transactions actually processed: (\d+)/m),
    residentBytes: null,
    errors: numberAfter(/^number of failed transactions: (\d+)/m),
  };
}

/** pgbench takes a colon before a name for a variable of its own even within a literal, as in `HH24:MI`; two literals are none. */
const withoutVariables = (text: string): string => text.replaceAll(/(?<!:):(?=\w)/g, `:' || '`);

/** A statement with its parameters replaced by what pgbench understands. */
const filled = (text: string, values: readonly string[]): string =>
  withoutVariables(text)
    .replaceAll(/\$(\d+)/g, (_, number: string) => values[Number(number) - 1] ?? 'NULL')
    .replaceAll(/\s+/g, ' ');

const three = (value: string): string => `ARRAY[${value}, ${value}, ${value}]`;

const scripts: Readonly<Record<'read' | 'order', (first: number, last: number) => string>> = {
  read: (first, last) => `\\set id random(${first}, ${last})\n${filled(oneProduct.text, [':id'])};\n`,
  order: (first, last) => {
    const ids = 'ARRAY[:a, :b, :c]::bigint[]';
    const whose = [`'client:' || :client`, `'pgbench-' || :key`];
    return [
      ...['a', 'b', 'c'].map((name) => `\\set ${name} random(${first}, ${last})`),
      `\\set client 1 + mod(:client_id, 40)`,
      `\\set key random(1, 9000000000000000000)`,
      'BEGIN;',
      `${filled(claimKey.text, [...whose, `'same'`])};`,
      `${filled(lockProducts.text, [ids])};`,
      `${filled(recordOrder.text, ['300', '1', ':client', ids, three('1'), three('100'), three(`'thing'`)])} \\gset`,
      `${filled(takeStock.text, [ids, three('1'), three(':id_key'), '(SELECT array_agg(line::bigint) FROM json_array_elements_text(:line_ids::json) line)'])};`,
      `${filled(storeAnswer.text, [...whose, '201', `'{}'`, `repeat('x', 400)`])};`,
      'COMMIT;',
      '',
    ].join('\n');
  },
};
