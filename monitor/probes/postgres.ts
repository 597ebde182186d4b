import { Socket } from 'node:net';
import { Client } from 'pg';
import * as z from 'zod';
import { messageOf } from '#lib/errors.ts';
import { clientOptions, failureOf } from '#lib/postgres.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { answerWith, boundReading } from './connect.ts';
import { duration, orNever, share } from './fields.ts';
import { createStatementWatch, judgeState, readState, type PostgresLimits } from './postgres-state.ts';
import { MonitorFaultError, probeKind, type Probe, type ProbeReport, type ResolveHost } from './probe.ts';

const placeOf = (settings: PostgresSettings): string => `PostgreSQL at ${settings.POSTGRES_HOST}:${settings.POSTGRES_PORT}`;

export const postgresKind = probeKind({
  kind: 'postgres',
  schema: {
    connections: share().prefault('85%').describe('Share of its connections in use beyond which the target is degraded.'),
    longestTransaction: orNever(1_000)
      .prefault('1h')
      .describe('Age of a transaction beyond which it is degraded, those of backups left out; never: not asked.'),
    replicationLag: duration(100, 86_400_000).prefault('30s').describe('How far a standby may be behind before the target is degraded.'),
    standbys: z.int().min(0).max(100).default(0).describe('Standbys that must be connected, or it is degraded.'),
    slowStatement: orNever(1)
      .prefault('never')
      .describe(
        'How long a statement may run before the target is degraded, and its mean time between two looks, by pg_stat_statements; never: not asked.',
      ),
  },
  create: (fields, { env, resolveHost }) => postgresProbe(env, resolveHost, fields),
  describe: (_fields, env) => placeOf(env),
});

/** A probe that connects anew, as a client of the database would, and asks it how it fares. */
export function postgresProbe(settings: PostgresSettings, resolveHost: ResolveHost, limits: PostgresLimits): Probe {
  const where = placeOf(settings);
  const slowStatements = createStatementWatch(limits.slowStatement);
  return async (signal) => {
    try {
      return await withConnection(settings, { resolveHost, signal }, async (client) => {
        const state = await readState(client);
        const isAsked = Number.isFinite(limits.slowStatement) && state.hasStatements;
        return judgeState(where, limits, state, isAsked ? await slowStatements(client) : []);
      });
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
    return {
      outcome: 'degraded',
      cause: { code: 'connectionsGone' },
      detail: `${where} has no connection left${state}`,
      nextStep: { code: 'whoIsConnected' },
    };
  }
  return { outcome: 'failed', detail: `${where} does not answer: ${messageOf(err)}${state}`, nextStep: { code: 'seeServer' } };
}

/** Asks over a connection of its own, which is cut when the signal fires. */
export async function withConnection<T>(
  settings: PostgresSettings,
  { resolveHost, signal }: { readonly resolveHost: ResolveHost; readonly signal: AbortSignal },
  ask: (client: Client) => Promise<T>,
): Promise<T> {
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
    return await ask(client);
  } finally {
    signal.removeEventListener('abort', cut);
    void client.end().catch(() => {});
    // A server that hangs would never let `end` finish.
    setTimeout(cut, 1_000).unref();
  }
}
