import { readEnv, type Environment } from '#lib/env.ts';
import { ConfigError, UnreachableError } from '#lib/errors.ts';
import { localOrigin } from '#lib/listen.ts';
import { readLocalStack } from '#lib/local-stack.ts';
import { loadtestEnv } from '../loadtest-env.ts';
import { createHttpClient } from './http-client.ts';
import { settingsOf, startLocalStack } from './local-stack.ts';
import type { Target } from './target.ts';

/**
 * A throw-away stack of this project on this machine.
 * @param root of the source it is started from; default: this project's own
 */
export async function openOwnTarget(env: Environment, signal?: AbortSignal, root?: string): Promise<Target> {
  const stack = await startLocalStack(env, signal, root);
  const origin = stack.env['API_URL'] ?? `http://127.0.0.1:${stack.env['API_PORT']}`;
  return { kind: 'own', origin, ...accessFrom(stack.env), settings: settingsOf(env), pid: stack.pid, stop: stack.stop };
}

/**
 * A service that runs already. Its keys and books are taken from the environment, or from the local stack when the target
 * is that stack's API.
 * @param origin as passed by the target guard
 * @throws {UnreachableError} when nothing listens there
 * @param isKeyNeeded false where nothing is prepared there with it; an unknown one is then the empty text
 * @throws {ConfigError} without a load test key
 */
export async function openGivenTarget(origin: string, env: Environment, isKeyNeeded = true): Promise<Target> {
  await assertListening(origin);
  const stack = readLocalStack(env);
  const isOurs = stack !== undefined && new URL(origin).port === stack.env['API_PORT'];
  const given = Object.entries(env).filter(([, value]) => value !== undefined && value !== '');
  return {
    kind: 'given',
    origin,
    ...accessFrom({ ...(isOurs ? stack.env : {}), ...Object.fromEntries(given) }, isKeyNeeded),
    ...(isOurs && { settings: stack.env }),
    pid: isOurs ? stack.pid : undefined,
    stop: async () => {},
  };
}

/** @throws {UnreachableError} when nothing listens there */
export async function assertListening(origin: string): Promise<void> {
  const http = createHttpClient(origin);
  try {
    await http.send({ method: 'GET', path: '/livez' });
  } catch (err) {
    throw new UnreachableError(`nothing answers at ${origin}; start it first, or leave --target out to test a stack of its own`, {
      cause: err,
    });
  } finally {
    await http.close();
  }
}

function accessFrom(env: Environment, isKeyNeeded = true): Pick<Target, 'loadtestKey' | 'admin' | 'postgres'> {
  const settings = readEnv(loadtestEnv, env);
  const { LOADTEST_KEY: loadtestKey = '', ADMIN_TOKEN: token, ADMIN_HOST, ADMIN_PORT } = settings;
  if (loadtestKey === '' && isKeyNeeded) {
    throw new ConfigError(['LOADTEST_KEY is not set; make one with: npm run api-key -- create --role loadtest --name load-test']);
  }
  return {
    loadtestKey,
    admin: token === undefined ? undefined : { origin: localOrigin(ADMIN_HOST, ADMIN_PORT), token },
    // Unset, the default would name some database on this machine, of which nobody knows whose it is.
    postgres: env['POSTGRES_HOST'] || env['POSTGRES_HOST_FILE'] ? settings : undefined,
  };
}
