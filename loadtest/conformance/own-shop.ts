import type { Environment } from '#lib/env.ts';
import { createHttpClient } from '../targets/http-client.ts';
import { startLocalStack, type OwnStack } from '../targets/local-stack.ts';
import { SetUpError } from '../targets/set-up.ts';
import type { Declared } from './exchange.ts';
import { OwnRedisError, startOwnRedis, type OwnRedis } from './own-redis.ts';
import { concludeOn, type Conformance } from './report.ts';
import { skipAll } from './suite.ts';
import { testTarget, type TestOptions } from './test-target.ts';

/** Small and short, so that everything is seen in about a minute. */
const limit = 20;
const periodSeconds = 3;
const workers = 3;
/** As many customers as are played side by side. */
const customers = 40;
const proxy = '127.0.0.1';

const settings = {
  RATE_LIMIT_ENABLED: 'true',
  RATE_LIMIT_CALLS: String(limit),
  RATE_LIMIT_PERIOD: String(periodSeconds),
  RATE_LIMIT_LOADTEST_CALLS: String(limit),
  TRUSTED_PROXIES: proxy,
  API_WORKERS: String(workers),
};

const declared: Declared = {
  limit,
  periodMs: periodSeconds * 1_000,
  windows: 'sliding',
  identity: 'ip',
  method: 'GET',
  path: '/products?limit=1',
  sibling: '/products/filter?limit=1',
  promises: 'all',
};

export type OwnShopOptions = TestOptions & {
  readonly env: Environment;
  /** Of the source its stacks are started from; default: this project's own. */
  readonly root?: string | undefined;
  /** The only part that is tested; default: all. */
  readonly part?: OwnPart | undefined;
};

/** Counted in the primary process, by address or by customer, or counted in Redis. */
export type OwnPart = 'address' | 'customer' | 'redis';

/**
 * Tests the shop on throw-away stacks of several workers: counted in the primary process, by address and by customer; and
 * counted in a Redis of its own, which is frozen and killed.
 */
export async function testOwnShop(options: OwnShopOptions): Promise<Conformance[]> {
  return [
    ...(options.part === 'redis' ? [] : await countedInPrimary(options)),
    ...((options.part ?? 'redis') === 'redis' ? [await countedInRedis(options)] : []),
  ];
}

async function countedInPrimary(options: OwnShopOptions): Promise<Conformance[]> {
  return onStack(options, {}, async (stack) => {
    const origin = stack.env['API_URL'] ?? '';
    const asAddress = { name: 'the shop, counted in its primary process, by address', origin, declared, trustedProxy: proxy };
    const byAddress = options.part === 'customer' ? [] : [await testTarget(asAddress, options)];
    if (options.part === 'address') return byAddress;
    const tokens = await registerCustomers(origin, stack.env['LOADTEST_KEY'] ?? '');
    const asCustomer = {
      name: 'the shop, counted in its primary process, by customer',
      origin,
      declared: { ...declared, identity: 'token' },
      tokens,
    } as const;
    return [...byAddress, await testTarget(asCustomer, options)];
  });
}

async function countedInRedis(options: OwnShopOptions): Promise<Conformance> {
  const name = 'the shop, counted in Redis, by address';
  const redis = await startOwnRedis().catch((err: unknown) => {
    if (err instanceof OwnRedisError) return err;
    throw err;
  });
  if (redis instanceof OwnRedisError) return concludeOn(name, [skipAll(declared, redis.message)]);
  try {
    const places = { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(redis.port) };
    return await onStack(options, places, (stack) =>
      testTarget({ name, origin: stack.env['API_URL'] ?? '', declared, trustedProxy: proxy, store: redis satisfies OwnRedis }, options),
    );
  } finally {
    await redis.stop();
  }
}

async function onStack<T>(
  { env, root, signal, onStage }: OwnShopOptions,
  places: Readonly<Record<string, string>>,
  work: (stack: OwnStack) => Promise<T>,
): Promise<T> {
  onStage('starting a stack of its own');
  const stack = await startLocalStack({ ...env, ...settings }, signal, root, places);
  try {
    return await work(stack);
  } finally {
    await stack.stop();
  }
}

/** Customers whose quota is the load test's, which is set to the limit here. @returns their access tokens */
async function registerCustomers(origin: string, loadtestKey: string): Promise<string[]> {
  const http = createHttpClient(origin);
  const tokens: string[] = [];
  try {
    for (let attempt = 0; tokens.length < customers && attempt < 20 * customers; attempt += 1) {
      const { status, json } = await http.send({
        method: 'POST',
        path: '/clients',
        headers: { 'x-api-key': loadtestKey },
        body: { name: 'Conformance', lastname: 'Check', email: `conformance-${attempt}-${process.pid}@example.com` },
      });
      if (status === 201) tokens.push((json as { access_token: string }).access_token);
      // The key has the small limit too.
      else if (status === 429) await new Promise((resolve) => setTimeout(resolve, 500));
      else throw new SetUpError(`a customer could not be registered: ${origin} answers ${status}`);
    }
    return tokens;
  } finally {
    await http.close();
  }
}
