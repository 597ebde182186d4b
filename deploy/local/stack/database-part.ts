import { once } from 'node:events';
import { Client, escapeIdentifier, escapeLiteral } from 'pg';
import { clientOptions } from '#lib/postgres.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { startEmbeddedPostgres } from '../postgres/embedded-postgres.ts';
import type { Part } from './keep-running.ts';
import { keepOutput } from './program-output.ts';

type PostgresPart = {
  readonly dataDir: string;
  readonly logFile: string;
  /** Password of the server's own administrator, which no program of the stack uses. */
  readonly adminPassword: string;
  /** What the programs connect with. Role and database are made when missing, and the password set at each start. */
  readonly programs: PostgresSettings;
};

const adminUser = 'atalaya_admin';

/** Enough for a pool of 40 in each of four API processes, with the rest of the stack beside. */
const maxConnections = '200';

/** The embedded PostgreSQL as a part of the stack. */
export function postgresPart(options: PostgresPart): Part {
  return {
    name: 'PostgreSQL',
    launch: async () => {
      const server = await startEmbeddedPostgres({
        dataDir: options.dataDir,
        port: options.programs.POSTGRES_PORT,
        user: adminUser,
        password: options.adminPassword,
        settings: { max_connections: maxConnections },
        onLog: (log) => void keepOutput(options.logFile, [log]),
      });
      return { ready: () => makeDatabase(options), ended: endOf(server.process), stop: server.stop };
    },
  };
}

async function endOf(child: Awaited<ReturnType<typeof startEmbeddedPostgres>>['process']): Promise<string> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.signalCode ? `was ended by ${child.signalCode}` : `ended with status ${child.exitCode}`;
}

async function makeDatabase({ programs, adminPassword }: PostgresPart): Promise<void> {
  const admin = { ...programs, POSTGRES_DB: 'postgres', POSTGRES_USER: adminUser, POSTGRES_PASSWORD: adminPassword };
  const client = new Client(clientOptions(admin, 'atalaya-start'));
  client.on('error', () => {});
  await client.connect();
  try {
    const { POSTGRES_USER: user, POSTGRES_DB: database, POSTGRES_PASSWORD: password = '' } = programs;
    const roles = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [user]);
    // Superuser: a backup saves the roles' passwords and is verified by a restore into a database made for it.
    const verb = roles.rowCount === 0 ? 'CREATE' : 'ALTER';
    await client.query(`${verb} ROLE ${escapeIdentifier(user)} LOGIN SUPERUSER PASSWORD ${escapeLiteral(password)}`);
    const databases = await client.query('SELECT FROM pg_database WHERE datname = $1', [database]);
    if (databases.rowCount === 0) await client.query(`CREATE DATABASE ${escapeIdentifier(database)} OWNER ${escapeIdentifier(user)}`);
  } finally {
    await client.end().catch(() => {});
  }
}
