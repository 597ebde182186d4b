import { Socket } from 'node:net';
import { Client } from 'pg';
import { messageOf } from '#lib/errors.ts';
import { clientOptions, failureOf } from '#lib/postgres.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { answerWith, boundReading } from './connect.ts';
import { MonitorFaultError, probeKind, type Probe, type ProbeReport, type ResolveHost } from './probe.ts';

const placeOf = (settings: PostgresSettings): string => `PostgreSQL at ${settings.POSTGRES_HOST}:${settings.POSTGRES_PORT}`;

export const postgresKind = probeKind({
  kind: 'postgres',
  schema: {},
  create: (_fields, { env, resolveHost }) => postgresProbe(env, resolveHost),
  describe: (_fields, env) => placeOf(env),
});

/** A probe that connects anew and runs one query, as a client of the database would. */
export function postgresProbe(settings: PostgresSettings, resolveHost: ResolveHost): Probe {
  const where = placeOf(settings);
  return async (signal) => {
    try {
      await queryOnce(settings, resolveHost, signal);
      return { outcome: 'ok', detail: `${where} answers` };
    } catch (err) {
      return reportFailure(where, err);
    }
  };
}

/**
 * What an error of the look says. Refused credentials are the monitor's own fault: the server answers. Pure.
 * @throws {MonitorFaultError}
 */
export function reportFailure(where: string, err: unknown): ProbeReport {
  if (err instanceof MonitorFaultError) throw err;
  const { kind, sqlState } = failureOf(err) ?? {};
  const state = sqlState === undefined ? '' : ` (${sqlState})`;
  if (kind === 'credentials' || kind === 'no-permission') {
    throw new MonitorFaultError(`${where} refuses the monitor's own credentials${state}; check POSTGRES_USER and POSTGRES_PASSWORD`, {
      cause: err,
    });
  }
  if (kind === 'too-many-connections') {
    const nextStep = 'pg_stat_activity shows who holds the connections';
    return { outcome: 'degraded', detail: `${where} has no connection left${state}`, nextStep };
  }
  const nextStep = 'look whether the server runs, at the end of its log, and at its disk';
  return { outcome: 'failed', detail: `${where} does not answer: ${messageOf(err)}${state}`, nextStep };
}

async function queryOnce(settings: PostgresSettings, resolveHost: ResolveHost, signal: AbortSignal): Promise<void> {
  const lookup = answerWith(await resolveHost(settings.POSTGRES_HOST, signal));
  const socket = new Socket();
  boundReading(socket);
  // The driver names only port and host.
  const connect = socket.connect.bind(socket);
  socket.connect = ((port: number, host: string) => connect({ port, host, lookup })) as Socket['connect'];
  const client = new Client({ ...clientOptions(settings, 'atalaya-monitor'), keepAlive: false, stream: () => socket });
  // The connection may break between two awaits; the query then says so.
  client.on('error', () => {});
  const cut = (): void => void socket.destroy();
  signal.addEventListener('abort', cut, { once: true });
  try {
    await client.connect();
    await client.query('SELECT 1');
  } finally {
    signal.removeEventListener('abort', cut);
    void client.end().catch(() => {});
    // A server that hangs would never let `end` finish.
    setTimeout(cut, 1_000).unref();
  }
}
