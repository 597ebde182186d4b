import { join } from 'node:path';
import { CommandError } from '#lib/run-command.ts';
import type { BackupDeps } from '../deps.ts';
import { BackupFailedError, BackupRefusedError } from '../errors.ts';
import type { BackupSet } from '../set/catalogue.ts';
import { dumpFileName } from '../set/manifest.ts';
import { missingFromDump, readWholeDump, restoreDump, type Order } from './archive.ts';
import { faultOfTool, requireTool, type RestoreScope } from './commands.ts';
import { withSession, type Session } from './connection.ts';
import { compareFingerprints, compareItems, takeFingerprint } from './fingerprint.ts';
import { applyProperties, describeDatabase, itemsOf } from './properties.ts';
import { withScratchDatabase, type ScratchDatabase } from './scratch.ts';

export type Restored = {
  readonly scratch: ScratchDatabase;
  /** How it differs from what was dumped, one line each beginning with the file, table or object; empty when it does not. */
  readonly differences: readonly string[];
  /** What could not be as it was, or could not be compared, and why. */
  readonly notices: readonly string[];
  /** What the restore alone took: the measured recovery time. Absent when the dump could not be read at all. */
  readonly restoreMs?: number;
};

/**
 * Restores a set into a database of its own and compares that with what was dumped: rows, sequences, schema, large
 * objects, owners, grants, and the properties of the database. `work` gets the outcome and may rename the database;
 * otherwise it is dropped.
 * @param scope `data` leaves out whatever names a role; it is then not compared either
 * @throws {BackupFailedError} when the machine or the server is at fault, which says nothing about the set
 */
export async function restoreInto<T>(
  server: Session,
  request: { readonly set: BackupSet; readonly scope: RestoreScope; readonly deps: Pick<BackupDeps, 'signal' | 'onProgress'> },
  work: (restored: Restored) => Promise<T>,
): Promise<T> {
  const { set, scope, deps } = request;
  const toolMajor = await requireFitness(server, set);
  const origin = { origin: set.manifest.database, locale: set.manifest.locale };
  return withScratchDatabase(server, origin, async (scratch) => {
    const order = {
      dumpPath: join(set.path, dumpFileName),
      into: scratch.settings,
      scope,
      toolMajor,
      serverMajor: server.serverMajor,
      signal: deps.signal,
    };
    deps.onProgress?.({ step: 'read' });
    const unreadable = await faultOf('cannot be read to its end', server, () => readWholeDump(order));
    if (unreadable) return work({ scratch, differences: [unreadable], notices: [] });
    deps.onProgress?.({ step: 'restore' });
    const startedAt = performance.now();
    const fault = await faultOf('cannot be restored', server, () => restoreDump(order));
    const restoreMs = Math.round(performance.now() - startedAt);
    if (fault) return work({ scratch, differences: [fault], notices: [], restoreMs });
    deps.onProgress?.({ step: 'compare' });
    return work({ scratch, restoreMs, ...(await compareWithSet(server, scratch, order, request)) });
  });
}

type Request = Parameters<typeof restoreInto>[1];

async function compareWithSet(
  server: Session,
  scratch: ScratchDatabase,
  order: Order,
  { set, scope, deps }: Request,
): Promise<Pick<Restored, 'differences' | 'notices'>> {
  const { fingerprint, properties, locale, server: dumpedOn } = set.manifest;
  const isOtherVersion = dumpedOn.major !== server.serverMajor;
  const actual = await withSession(scratch.settings, deps.signal, async ({ client }) => {
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    return takeFingerprint(client, fingerprint.hashing ?? 'text');
  });
  const limits = { withoutRoles: scope === 'data', namesOnly: isOtherVersion };
  const differences = compareFingerprints(fingerprint, actual, limits);
  if (scope === 'data' && fingerprint.schema) differences.push(...(await missingFromDump(order, fingerprint.schema)));
  if (properties) {
    await applyProperties(server.client, scratch.name, properties, scope);
    const found = await describeDatabase(server.client, scratch.name);
    const expected = { properties, locale: scratch.hasLocale ? locale : found.locale };
    differences.push(...compareItems(itemsOf(expected), itemsOf(found), { ...limits, namesOnly: false }));
  }
  const notices = [
    ...(scratch.hasLocale ? [] : [`this server lacks the locale of the backup; what was restored sorts by C`]),
    ...(fingerprint.schema ? [] : [`backup ${set.id} is of an older release and holds no schema to compare; rows and sequences were`]),
    ...(isOtherVersion
      ? [`PostgreSQL ${server.serverMajor} words definitions differently than ${dumpedOn.major}; only names were compared`]
      : []),
    ...(scope === 'data'
      ? ['owners, grants and settings of roles were left out of the restore; that the dump holds them was checked']
      : []),
  ];
  return { differences, notices };
}

/**
 * A dump cannot be relied on to load into an older server, nor by an older pg_restore.
 * @returns the major version of pg_restore
 * @throws {BackupRefusedError} `server-too-old`, `tool-missing` or `tool-too-old`
 */
export async function requireFitness(session: Session, set: BackupSet): Promise<number> {
  const { server, pgDump } = set.manifest;
  if (session.serverMajor < server.major) {
    const text = `backup ${set.id} is of PostgreSQL ${server.version}; this server (${session.serverVersion}) is older`;
    throw new BackupRefusedError('server-too-old', `${text}; set POSTGRES_HOST to a server of version ${server.major} or newer`);
  }
  return (await requireTool('pg_restore', Math.max(pgDump.major, session.serverMajor))).major;
}

/**
 * Faults of the machine or the server, which say nothing about the dump: no space (a server that cannot extend a file
 * hints at the disk and names no cause), no memory, no connection.
 */
const foreignFault =
  /no space left on device|could not extend file|could not write (to )?(file|block)|check free disk space|disk quota|input\/output error|out of memory|too many (clients|connections)|server closed the connection|could not connect|connection to server|terminating connection|the database system is/i;

/** The set's fault when `work` fails through it. Whatever else made it fail is thrown. */
async function faultOf(what: string, server: Session, work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (err) {
    if (!(err instanceof CommandError) || err.status === null) throw err;
    if (foreignFault.test(err.stderrTail)) {
      throw new BackupFailedError(`the dump could not be restored, and not by its own fault: ${faultOfTool(err)}`, { cause: err });
    }
    await server.client.query('SELECT');
    return `${dumpFileName}: ${what}: ${faultOfTool(err)}`;
  }
}
