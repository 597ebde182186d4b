import { Transform, type Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { libpqEnvironment } from '#lib/postgres.ts';
import { CommandError, runCommand, type RunOptions } from '#lib/run-command.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { applicationName, longestWorkMs } from '../backup-deps.ts';
import { openSession } from './connection.ts';
import { compareFingerprints, takeFingerprint } from './fingerprint.ts';
import type { Fingerprint } from '../set/manifest.ts';
import { pgRestoreArgs, pgRestoreToTextArgs, psqlArgs, type RestoreScope } from './pg-commands.ts';
import { requireTool } from './pg-tools.ts';
import { together } from './together.ts';

export type RestoreOrder = {
  readonly dumpPath: string;
  /** The empty database to fill. */
  readonly into: PostgresSettings;
  readonly scope: RestoreScope;
  readonly serverMajor: number;
  /** Of the pg_restore that will be run. */
  readonly toolMajor: number;
  readonly signal?: AbortSignal;
};

/**
 * Fills an empty database from a dump, ending at the first error.
 * @throws {CommandError} with the program's last line.
 */
export async function restoreDump(order: RestoreOrder): Promise<void> {
  if (setsUnknownParameter(order.toolMajor, order.serverMajor)) return restoreThroughText(order);
  const args = pgRestoreArgs({ file: order.dumpPath, database: order.into.POSTGRES_DB, scope: order.scope });
  await runCommand({ file: 'pg_restore', args, env: environmentOf(order) }, limitsOf(order.signal));
}

/** Reads the dump to its end without a server: a truncated or broken archive shows here. */
export async function readWholeDump(dumpPath: string, signal?: AbortSignal): Promise<void> {
  const args = pgRestoreToTextArgs({ file: dumpPath, output: '/dev/null', scope: 'everything' });
  await runCommand({ file: 'pg_restore', args }, limitsOf(signal));
}

/**
 * From 17 on pg_restore begins with `SET transaction_timeout`, which servers before 17 do not know, so that
 * `--exit-on-error` ends every restore there at once. Pure.
 */
export function setsUnknownParameter(toolMajor: number, serverMajor: number): boolean {
  return toolMajor >= 17 && serverMajor < 17;
}

async function restoreThroughText(order: RestoreOrder): Promise<void> {
  await requireTool('psql', order.serverMajor);
  const args = pgRestoreToTextArgs({ file: order.dumpPath, output: '-', scope: order.scope });
  const psql = { file: 'psql', args: psqlArgs({ database: order.into.POSTGRES_DB }), env: environmentOf(order) };
  const sql = withoutUnknownParameter();
  let psqlFailure: unknown;
  try {
    await together(
      order.signal,
      (signal) => runCommand({ file: 'pg_restore', args }, { ...limitsOf(signal), stdout: (stream: Readable) => pipeline(stream, sql) }),
      (signal) =>
        runCommand(psql, { ...limitsOf(signal), stdin: (stream: Writable) => pipeline(sql, stream) }).catch((err: unknown) => {
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

/** How a restored database differs from what was dumped; empty when it is the same. */
export async function differencesOf(restored: PostgresSettings, expected: Fingerprint, signal?: AbortSignal): Promise<string[]> {
  const session = await openSession(restored, signal);
  try {
    await session.client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    return compareFingerprints(expected, await takeFingerprint(session.client));
  } finally {
    await session.close();
  }
}

const environmentOf = (order: RestoreOrder): Record<string, string> => libpqEnvironment(order.into, applicationName);

function limitsOf(signal: AbortSignal | undefined): Pick<RunOptions, 'timeoutMs' | 'signal'> {
  return { timeoutMs: longestWorkMs, ...(signal ? { signal } : {}) };
}
