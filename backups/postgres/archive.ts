import { Transform, type Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CommandError, runCommand, type RunOptions } from '#lib/run-command.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { longestWorkMs } from '../deps.ts';
import { pgRestore, pgRestoreList, pgRestoreToText, psql, requireTool, type RestoreScope } from './commands.ts';
import { together } from './dump.ts';

/** A dump file, and where it is to go. */
export type Order = {
  readonly dumpPath: string;
  /** The empty database to fill. */
  readonly into: PostgresSettings;
  readonly scope: RestoreScope;
  /** Of the server it goes to, and of the pg_restore that will be run. */
  readonly serverMajor: number;
  readonly toolMajor: number;
  readonly signal: AbortSignal | undefined;
};

function limitsOf(signal: AbortSignal | undefined): Pick<RunOptions, 'timeoutMs' | 'signal'> {
  return { timeoutMs: longestWorkMs, ...(signal ? { signal } : {}) };
}

/** Reads the dump to its end without a server: a truncated or broken archive shows here. @throws {CommandError} */
export async function readWholeDump({ dumpPath, signal }: Order): Promise<void> {
  await runCommand(pgRestoreToText({ file: dumpPath, output: '/dev/null', scope: 'everything' }), limitsOf(signal));
}

/**
 * Fills an empty database from a dump, ending at the first error.
 * @throws {CommandError} with the program's last line.
 */
export async function restoreDump(order: Order): Promise<void> {
  if (setsUnknownParameter(order.toolMajor, order.serverMajor)) return restoreAsText(order);
  await runCommand(pgRestore(order.into, { file: order.dumpPath, scope: order.scope }), limitsOf(order.signal));
}

/**
 * What a dump does not hold of the owners and grants there should be, for one that is restored without them: the owner of
 * each table, view and sequence, and grants where somebody besides the owner has some.
 * @param schema of the fingerprint
 */
export async function missingFromDump({ dumpPath, signal }: Order, schema: Readonly<Record<string, string>>): Promise<string[]> {
  const lines: string[] = [];
  const stdout = async (stream: Readable): Promise<void> => {
    let rest = '';
    for await (const chunk of stream.setEncoding('utf8') as AsyncIterable<string>) {
      const parts = (rest + chunk).split('\n');
      rest = parts.pop() ?? '';
      lines.push(...parts);
    }
  };
  await runCommand(pgRestoreList({ file: dumpPath }), { ...limitsOf(signal), stdout });
  return missingEntries(lines, schema);
}

/** Names stand in the list without quotes, and are told apart by spaces that they may hold too: so none is looked at. */
const bare = (text: string): string => text.replaceAll(/["\s]/g, '').toLowerCase();

const relation = /^(owner of|grants on) (table|view|materialized view|sequence) ([^.]+)\.(.+)$/;

/** Pure; `lines` are of `pg_restore --list`, such as `215; 1259 16386 TABLE public orders shop`. */
export function missingEntries(lines: readonly string[], schema: Readonly<Record<string, string>>): string[] {
  const entries = new Set(lines.map((line) => bare(line.replace(/^\d+; \d+ \d+ /, ''))));
  const has = (...words: readonly string[]): boolean => entries.has(bare(words.join('')));
  return Object.entries(schema).flatMap(([item, definition]) => {
    const [, what, kind = '', namespace = '', name = ''] = relation.exec(item) ?? [];
    const owner = schema[`owner of ${kind} ${namespace}.${name}`] ?? '';
    if (what === 'owner of') return has(kind, namespace, name, owner) ? [] : [`${item} is not ${owner} in the dump`];
    if (what !== 'grants on' || definition.split(', ').every((grant) => grant.startsWith(`${owner}: `))) return [];
    return has('acl', namespace, kind === 'sequence' ? kind : 'table', name, owner) ? [] : [`${item} are not in the dump`];
  });
}

/**
 * From 17 on pg_restore begins with `SET transaction_timeout`, which servers before 17 do not know, so that
 * `--exit-on-error` ends every restore there at once. Pure.
 */
export function setsUnknownParameter(toolMajor: number, serverMajor: number): boolean {
  return toolMajor >= 17 && serverMajor < 17;
}

async function restoreAsText({ dumpPath, into, scope, signal, serverMajor }: Order): Promise<void> {
  await requireTool('psql', serverMajor);
  const toText = pgRestoreToText({ file: dumpPath, output: '-', scope });
  const sql = withoutUnknownParameter();
  let psqlFailure: unknown;
  try {
    await together(
      signal,
      (both) => runCommand(toText, { ...limitsOf(both), stdout: (stream: Readable) => pipeline(stream, sql) }),
      (both) =>
        runCommand(psql(into), { ...limitsOf(both), stdin: (stream: Writable) => pipeline(sql, stream) }).catch((err: unknown) => {
          psqlFailure = err;
          throw err;
        }),
    );
  } catch (err) {
    // When psql stops at an error, pg_restore may be the first to fail, by the broken pipe; psql knows why.
    throw psqlFailure instanceof CommandError && psqlFailure.status !== null ? psqlFailure : err;
  }
}

/** The line stands in the preamble, before the first object; nothing later is looked at. */
const preambleBytes = 16 * 1024;
const unknownParameterLine = /^SET transaction_timeout = 0;\n/m;

// latin1 keeps every byte as it is, whatever the encoding of the text.
const cleaned = (text: Buffer): Buffer => Buffer.from(text.toString('latin1').replace(unknownParameterLine, ''), 'latin1');

/** Takes `SET transaction_timeout` out of the preamble of SQL text. */
export function withoutUnknownParameter(): Transform {
  let preamble: Buffer | undefined = Buffer.alloc(0);
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (!preamble) return done(null, chunk);
      preamble = Buffer.concat([preamble, chunk]);
      if (preamble.length < preambleBytes) return done();
      const first = cleaned(preamble);
      preamble = undefined;
      done(null, first);
    },
    flush(done) {
      done(null, preamble && cleaned(preamble));
    },
  });
}
