import type { IncomingMessage } from 'node:http';
import type { Pool, PoolClient } from 'pg';
import { textColumns } from '#api/db/statement.ts';
import { valueOf } from './follow-values.ts';
import type { Recording } from './record-routes.ts';

/** Names the request among those recorded; the API takes no notice of it. */
export const requestHeader = 'bench-request';

/** Answers a request as it was recorded: asks the database the same, one after the other, and sends the same bytes. */
export async function replay(pool: Pool, recordings: readonly Recording[], request: IncomingMessage): Promise<[number, string]> {
  const recording = recordings[Number(request.headers[requestHeader])];
  if (!recording) throw new RangeError(`no request ${String(request.headers[requestHeader])} was recorded`);
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  // What any server does with a body before it knows what to ask.
  if (chunks.length > 0) JSON.parse(Buffer.concat(chunks).toString('utf8'));
  await ask(pool, recording, request.headers['idempotency-key'] as string | undefined);
  return [recording.status, recording.body];
}

async function ask(pool: Pool, { script }: Recording, key: string | undefined): Promise<void> {
  if (script[0]?.text !== 'BEGIN') return askOn(pool, script, key);
  const client = await pool.connect();
  try {
    await askOn(client, script, key);
  } catch (err) {
    await client.query('ROLLBACK');
    throw err;
  } finally {
    client.release();
  }
}

async function askOn(on: Pool | PoolClient, script: Recording['script'], key: string | undefined): Promise<void> {
  const answered: unknown[] = [];
  for (const { name, text, values, isText } of script) {
    const given = values.map((source) => valueOf(source, key, answered));
    const { rows } = await on.query({ ...(name !== undefined && { name }), text, values: given, ...(isText && { types: textColumns }) });
    answered.push(rows);
  }
}
