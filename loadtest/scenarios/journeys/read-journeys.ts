import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, extname, resolve } from 'node:path';
import { parse } from 'csv-parse/sync';
import * as z from 'zod';
import type { Environment } from '#lib/env.ts';
import { ConfigError, messageOf } from '#lib/errors.ts';
import type { Feed, Row, Script } from './journeys.ts';
import { parseFile } from './parse-file.ts';
import { unfilledSlots, unknownEndpoints, type Problem } from './references.ts';

/** Far more than anybody writes by hand, and as much as every generator process can hold. */
const longestFileBytes = 1024 * 1024;
const longestFeederBytes = 64 * 1024 * 1024;

/**
 * Reads and checks a file of journeys and the files of its feeders.
 * @throws {ConfigError} with every problem at once, each naming file, line and cure
 */
export async function readJourneys(path: string, env: Environment): Promise<Script> {
  const parsed = parseFile(await readBounded(path, longestFileBytes).catch(cannotRead(path)), env);
  const problems: Problem[] = [...parsed.problems];
  const feeds: Record<string, Feed> = {};
  for (const [name, feeder] of parsed.feeders) {
    try {
      feeds[name] = { order: feeder.order, rows: feeder.rows ?? (await readRows(resolve(dirname(path), feeder.file ?? ''))) };
    } catch (err) {
      problems.push({ path: ['feeders', name, 'file'], message: `${feeder.file}: ${messageOf(err).split('\n')[0]}` });
    }
  }
  const columns = new Map(Object.entries(feeds).map(([name, { rows }]) => [name, columnsOf(rows)]));
  for (const [name, journey] of parsed.journeys) problems.push(...unfilledSlots(name, journey, [...parsed.feeders.keys()], columns));
  const { file, secrets } = parsed;
  if (file)
    problems.push(
      ...unknownEndpoints(
        Object.keys(file.limits.endpoints),
        Object.values(file.journeys).flatMap(({ steps }) => steps),
      ),
    );
  if (file && problems.length === 0) return { file, feeds, secrets };
  const ordered = problems.map((problem) => ({ ...problem, line: parsed.lineOf(problem.path) })).toSorted((a, b) => a.line - b.line);
  throw new ConfigError(
    ordered.map(({ line, path: place, message }) => `${path}:${line}: ${[place.join('/'), message].filter(Boolean).join(': ')}`),
  );
}

const cannotRead = (path: string) => (err: unknown) => {
  throw new ConfigError([`--file ${path} cannot be read: ${messageOf(err)}`], { cause: err });
};

async function readBounded(path: string, longestBytes: number): Promise<string> {
  const found = await stat(path);
  if (!found.isFile()) throw new Error('it is no file');
  if (found.size > longestBytes) throw new Error(`it is longer than ${longestBytes} bytes`);
  return readFile(path, 'utf8');
}

const rowsSchema = z.array(z.record(z.string(), z.json())).min(1);

/** @throws unless it is a list of at least one row */
async function readRows(path: string): Promise<Row[]> {
  const kind = extname(path);
  if (kind !== '.csv' && kind !== '.json') throw new Error('must be a .csv or a .json file');
  const text = await readBounded(path, longestFeederBytes);
  const content: unknown =
    kind === '.json' ? JSON.parse(text) : parse(text, { columns: true, bom: true, skip_empty_lines: true, trim: true });
  const rows = rowsSchema.safeParse(content);
  if (rows.success) return rows.data;
  throw new Error(`${basename(path)} holds no list of rows${kind === '.csv' ? ' below a line of names' : ''}`);
}

/** Those that every row has: a slot must always be filled. */
function columnsOf(rows: readonly Row[]): string[] {
  return Object.keys(rows[0] ?? {}).filter((name) => rows.every((row) => Object.hasOwn(row, name)));
}
