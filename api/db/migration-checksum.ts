import { createHash } from 'node:crypto';
import createKnexInstance, { type Knex } from 'knex';
import type { Pool } from 'pg';
import type { Migration } from './migrations/index.ts';

type Recorded = { readonly text: string; readonly values?: readonly unknown[] };

/**
 * SHA-256 over the SQL with which a migration changes the schema and takes it back. It is that of the SQL alone: however
 * the file is formatted, whatever its comments say, the checksum stays.
 */
export async function checksumOf({ up, down }: Pick<Migration, 'up' | 'down'>): Promise<string> {
  const statements = [...(await recordSql(up)), 'down', ...(await recordSql(down))];
  return createHash('sha256').update(statements.join('\n')).digest('hex');
}

/** Runs a migration against a database that only listens and answers every question with nothing. */
async function recordSql(run: (knex: Knex) => Promise<void>): Promise<string[]> {
  const recorded: string[] = [];
  const connection = {
    release: () => {},
    query: ({ text, values = [] }: Recorded, done: (err: undefined, result: object) => void) => {
      recorded.push(values.length === 0 ? plainSql(text) : `${plainSql(text)} ${JSON.stringify(values)}`);
      done(undefined, { rows: [], rowCount: 0, fields: [] });
    },
  };
  const connectionPool = { connect: () => Promise.resolve(connection) } as unknown as Pool;
  // Any version will do; without one knex would ask for it.
  await run(createKnexInstance({ client: 'pg', version: '15', connectionPool }));
  return recorded;
}

const quoted = String.raw`'(?:[^']|'')*'|"(?:[^"]|"")*"|\$(?<tag>\w*)\$[\s\S]*?\$\k<tag>\$`;
const gap = String.raw`(?:--[^\n]*|/\*[\s\S]*?\*/|\s)`;
const tokens = new RegExp(`(?<quoted>${quoted})|${gap}*(?<mark>[(),;])${gap}*|${gap}+`, 'g');

/** SQL without comments, and with no more white space than keeps its words apart, but for what stands in quotes. Pure. */
export const plainSql = (sql: string): string => sql.replaceAll(tokens, plainToken).trim();

function plainToken(token: string, ...rest: unknown[]): string {
  const { quoted: kept, mark } = rest.at(-1) as { quoted?: string; mark?: string };
  return kept === undefined ? (mark ?? ' ') : token;
}
