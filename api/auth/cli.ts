import { print, runCommandLine, type Arguments, type CommandLine } from '#lib/command-line.ts';
import { readEnv } from '#lib/env.ts';
import { AppError, UsageError } from '#lib/errors.ts';
import { EXIT, type ExitCode } from '#lib/exit-codes.ts';
import { withLocalStack } from '#lib/local-stack.ts';
import { logEnv, postgresEnv } from '#lib/settings.ts';
import { explainConnectionError } from '#lib/postgres.ts';
import { createPool } from '../db/pool.ts';
import { openApiLogs } from '../logs/api-logs.ts';
import type { SecurityEvent } from '../logs/security-line.ts';
import { keyKey } from './principal.ts';
import { createApiKeys, type ApiKeys, type ApiKeySummary, type KeyLimits, type KeyRole } from './api-keys.ts';

class NoSuchKeyError extends AppError {
  readonly code = 'NO_SUCH_KEY';
}

const commandLine: CommandLine = {
  invocation: 'npm run api-key --',
  summary: 'Keys for operators and load tests. Clients log in with a password instead.',
  verbs: {
    create: {
      synopsis: '--role operator|loadtest --name NAME [--scope all|read] [--expires DAYS] [--json]',
      summary: 'Makes a key and prints it, this once: only its hash is stored.',
      options: {
        role: { type: 'string' },
        name: { type: 'string' },
        scope: { type: 'string' },
        expires: { type: 'string' },
        json: { type: 'boolean' },
      },
      positionals: [0, 0],
      run: create,
    },
    list: {
      synopsis: '[--json]',
      summary: 'Prints every key with its role and last use; never the key itself.',
      options: { json: { type: 'boolean' } },
      positionals: [0, 0],
      run: list,
    },
    revoke: { synopsis: 'ID', summary: 'Ends a key within 5 seconds, for good.', positionals: [1, 1], run: revoke },
  },
};

async function create({ flags }: Arguments): Promise<ExitCode> {
  const { role, name, scope = 'all', expires } = flags;
  if (role !== 'operator' && role !== 'loadtest') throw new UsageError('create: --role must be operator or loadtest');
  if (typeof name !== 'string' || name.trim() === '' || name.length > 100) {
    throw new UsageError('create: --name must say whose key it is, in 100 characters or fewer');
  }
  if (scope !== 'all' && !(scope === 'read' && role === 'operator')) {
    throw new UsageError('create: --scope must be all, or for an operator read, which changes nothing');
  }
  if (expires !== undefined && !(typeof expires === 'string' && /^[1-9]\d{0,3}$/.test(expires))) {
    throw new UsageError('create: --expires must be a number of days from 1 to 9999');
  }
  const limits: KeyLimits = {
    scope: scope === 'read' ? 'read' : 'all',
    expiresInDays: expires === undefined ? undefined : Number(expires),
  };
  const made = await withApiKeys((apiKeys) => apiKeys.create(role satisfies KeyRole, name.trim(), limits));
  await tell('key_made', made.id);
  if (flags['json'] === true) print(JSON.stringify({ ...made, role, scope, name: name.trim() }));
  else print(`${made.key}\nkey ${made.id} of role ${role} made; keep it now, it cannot be shown again`);
  return EXIT.done;
}

async function list({ flags }: Arguments): Promise<ExitCode> {
  const keys = await withApiKeys((apiKeys) => apiKeys.list());
  if (flags['json'] === true) print(JSON.stringify(keys, undefined, 2));
  else print(keys.length === 0 ? 'there are no keys' : keys.map(describeKey).join('\n'));
  return EXIT.done;
}

async function revoke({ positionals: [given = ''] }: Arguments): Promise<ExitCode> {
  if (!/^[1-9]\d{0,14}$/.test(given)) throw new UsageError(`revoke: "${given}" is not the number of a key; see the list command`);
  const isRevoked = await withApiKeys((apiKeys) => apiKeys.revoke(Number(given)));
  if (!isRevoked) throw new NoSuchKeyError(`no key ${given} is in use; see npm run api-key -- list`);
  await tell('key_revoked', Number(given));
  print(`key ${given} is revoked`);
  return EXIT.done;
}

function describeKey({ id, name, role, scope, last_used_at, revoked_at, expires_at }: ApiKeySummary): string {
  const limits = [scope === 'read' ? 'only reads' : '', expires_at ? `expires ${expires_at.toISOString()}` : ''].filter(Boolean);
  const use = last_used_at ? `last used ${last_used_at.toISOString()}` : 'never used';
  return [id, role, name, ...limits, revoked_at ? `revoked ${revoked_at.toISOString()}` : use].join('  ');
}

/** Into security.log of LOG_DIR where that is set; in any case the key's own row tells when it was made and revoked. */
async function tell(event: SecurityEvent, keyId: number): Promise<void> {
  const settings = readEnv(logEnv, withLocalStack(process.env));
  if (settings.LOG_DIR === undefined) return;
  // What is printed here is the command's own.
  const logs = await openApiLogs({ settings: { ...settings, LOG_LEVEL: 'silent' }, worker: 0 });
  logs.security({ event, account: keyKey(keyId), principal: 'command line' });
  await logs.close();
}

async function withApiKeys<T>(work: (apiKeys: ApiKeys) => Promise<T>): Promise<T> {
  const postgres = readEnv(postgresEnv, withLocalStack(process.env));
  const onePerRun = { DB_POOL_SIZE: 1, DB_MAX_OVERFLOW: 0, DB_POOL_TIMEOUT: 5, DB_POOL_RECYCLE: 0 };
  const pool = createPool({ ...postgres, ...onePerRun }, 'atalaya-api');
  try {
    return await work(createApiKeys(pool));
  } catch (err) {
    throw explainConnectionError(err, postgres);
  } finally {
    await pool.end();
  }
}

process.exitCode = await runCommandLine(commandLine, process.argv.slice(2));
