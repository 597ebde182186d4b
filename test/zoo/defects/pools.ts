// What can be wrong with a pool, all of it side by side, so that none is there twice; so it is long.

import type { Defect, Seed } from '../defect.ts';

/** Connection pools that are wrong: their size, who waits, how connections live and are lost. A list, so it is as long as it is. */

const inPool = (find: string, put: string): Seed => ({ file: 'api/db/pool.ts', find, put });
const inTransaction = (find: string, put: string): Seed => ({ file: 'api/db/tx.ts', find, put });

const most = 'const max = Math.min(settings.DB_POOL_SIZE + settings.DB_MAX_OVERFLOW, limit);';
const acquireTimeout = 'connectionTimeoutMillis: settings.DB_POOL_TIMEOUT * 1_000,';
/** After it the pool of the API is there and nothing has asked for a connection. */
const made = "  pool.on('error', () => {});";
const makes = (text: string): Seed => inPool(made, `${made}\n${text}`);
const setting = (text: string): Seed => inPool('keepAlive: true,', `keepAlive: true, ${text},`);

const size: readonly Defect[] = [
  {
    name: 'overflow-never-used',
    kind: 'size',
    says: 'DB_MAX_OVERFLOW is not added to the most that a pool may open',
    expects: /P1 /,
    seed: inPool(most, 'const max = Math.min(settings.DB_POOL_SIZE, limit);'),
  },
  {
    name: 'cap-ignored',
    kind: 'size',
    says: 'a pool opens three times as many connections as it may',
    expects: /P1 /,
    seed: inPool(most, most.replace('Math', '3 * Math')),
  },
  {
    name: 'pool-per-transaction',
    kind: 'size',
    says: 'every transaction opens a pool of its own',
    expects: /P1 /,
    seed: inTransaction(
      'const client = await pool.connect();',
      `const own = Object.assign(Object.create(pool), { _clients: [], _idle: [], _pendingQueue: [] });
       const client = await Object.getPrototypeOf(pool).connect.call(own);`,
    ),
  },
  {
    name: 'size-not-kept',
    kind: 'size',
    says: 'connections below DB_POOL_SIZE are closed after rest as well',
    expects: /P8 /,
    seed: inPool('return { min: Math.min(settings.DB_POOL_SIZE, max), max };', 'return { min: 0, max };'),
  },
  {
    name: 'overflow-never-closed',
    kind: 'size',
    says: 'connections beyond DB_POOL_SIZE stay open however long they rest',
    expects: /P8 /,
    seed: setting('idleTimeoutMillis: 0'),
  },
  {
    name: 'connect-storm',
    kind: 'size',
    says: 'whoever finds no connection free opens one beyond the most, and closes it at once',
    expects: /P8 /,
    seed: makes(`const { connect } = pool;
      pool.connect = ((callback) => {
        if (pool.idleCount === 0 && pool.totalCount >= max) {
          const surplus = new pool['Client' as never](pool.options);
          surplus.on('error', () => {});
          surplus.connect().then(() => surplus.end(), () => {});
        }
        return connect.call(pool, callback);
      }) as never;`),
  },
  {
    name: 'capacity-misreported',
    kind: 'size',
    says: '/health_check tells DB_POOL_SIZE as total_capacity',
    expects: /P14 /,
    seed: { file: 'api/health/health-check.ts', find: 'total_capacity: max,', put: 'total_capacity: min,' },
  },
];

const waiting: readonly Defect[] = [
  {
    name: 'acquire-timeout-doubled',
    kind: 'waiting',
    says: 'who gets no connection waits twice DB_POOL_TIMEOUT',
    expects: /P6 /,
    seed: inPool(acquireTimeout, acquireTimeout.replace('1_000', '2_000')),
  },
  {
    name: 'acquire-timeout-ignored',
    kind: 'waiting',
    says: 'who gets no connection waits for ever',
    expects: /P6 /,
    seed: inPool(acquireTimeout, 'connectionTimeoutMillis: 0,'),
  },
  {
    name: 'acquire-timeout-tenth',
    kind: 'waiting',
    says: 'who gets no connection is refused after a tenth of DB_POOL_TIMEOUT',
    expects: /P6 /,
    seed: inPool(acquireTimeout, acquireTimeout.replace('1_000', '100')),
  },
  {
    name: 'acquire-timeout-as-500',
    kind: 'waiting',
    says: 'who gets no connection is answered 500',
    expects: /P6 /,
    seed: { file: 'lib/postgres.ts', find: "? 'pool-timeout' : undefined;", put: '? undefined : undefined;' },
  },
  {
    name: 'acquire-timeout-unsaid',
    kind: 'waiting',
    says: '503 for want of a connection comes without Retry-After',
    expects: /P6 /,
    seed: {
      file: 'api/http/error-body.ts',
      find: 'headers: error.headers }',
      put: "headers: error.code === 'overloaded' ? {} : error.headers }",
    },
  },
  {
    name: 'last-in-first-out',
    kind: 'waiting',
    says: 'who asked for a connection last gets the next one',
    expects: /P13 /,
    seed: makes('Object.assign((pool as never)["_pendingQueue"], { shift: Array.prototype.pop });'),
  },
  {
    name: 'nested-acquire',
    kind: 'waiting',
    says: 'every order asks for a second connection while its transaction holds one',
    expects: /P11 /,
    seed: inTransaction(
      'return atOnce && carryOutAtOnce(await connectInTime(pool, isAwaited), atOnce);',
      `const nested = async (tx: Pick<Db, 'query'>): Promise<T | undefined> => {
        await pool.connect().then((second) => second.release());
        return atOnce?.(tx);
      };
      return atOnce && carryOutAtOnce(await connectInTime(pool, isAwaited), nested);`,
    ),
  },
  {
    name: 'busy-told-as-down',
    kind: 'waiting',
    says: '/health_check asks the database through the pool, and calls it down while all connections are lent out',
    expects: /P14 /,
    seed: {
      file: 'api/processes/run-worker.ts',
      find: '      probe,\n      configuredMax',
      put: '      probe: pool,\n      configuredMax',
    },
  },
];

const lifetime: readonly Defect[] = [
  {
    name: 'never-recycled',
    kind: 'lifetime',
    says: 'DB_POOL_RECYCLE is not heeded',
    expects: /P9 /,
    seed: inPool('maxLifetimeSeconds: settings.DB_POOL_RECYCLE,', ''),
  },
  {
    name: 'recycled-in-use',
    kind: 'lifetime',
    says: 'a connection is closed at the end of its lifetime though somebody uses it',
    expects: /P3 |P9 /,
    seed: makes(`pool.on('connect', (client) =>
      setTimeout(() => (client as never as { connection: { stream: Socket } }).connection.stream.destroy(), settings.DB_POOL_RECYCLE * 1_000).unref());`),
  },
  {
    name: 'used-once',
    kind: 'lifetime',
    says: 'every connection is closed after its first use',
    expects: /P9 /,
    seed: setting('maxUses: 1'),
  },
];

const loss: readonly Defect[] = [
  {
    name: 'lost-on-timeout',
    kind: 'loss',
    says: 'who gave up waiting is given a connection all the same, and never returns it',
    expects: /P10 /,
    seed: makes(`const { connect } = pool;
      pool.connect = ((callback) => connect.call(pool, (err, ...rest) => {
        if (err?.message.startsWith('timeout exceeded')) connect.call(pool, () => {});
        callback(err, ...rest);
      })) as never;`),
  },
  {
    name: 'lost-on-error',
    kind: 'loss',
    says: 'a transaction that fails keeps its connection',
    expects: /P10 /,
    seed: inTransaction(
      'broken = err instanceof CommitUnknownError ? err : await rollBack(client);',
      'await rollBack(client); client.release = () => {};',
    ),
  },
  {
    name: 'lost-on-500',
    kind: 'loss',
    says: 'a transaction that fails as nobody foresaw, with a 500, keeps its connection',
    expects: /P10 /,
    seed: inTransaction(
      'broken = err instanceof CommitUnknownError ? err : await rollBack(client);',
      `broken = err instanceof CommitUnknownError ? err : await rollBack(client);
       if (!(err instanceof ApiError) && failureOf(err) === undefined) client.release = () => {};`,
    ),
  },
  {
    name: 'left-in-transaction',
    kind: 'loss',
    says: 'a transaction that fails is not rolled back before its connection is returned',
    expects: /P10 /,
    seed: inTransaction('err : await rollBack(client);', 'err : undefined;'),
  },
  {
    name: 'lost-on-abort',
    kind: 'loss',
    says: 'a client that leaves takes a connection with it',
    expects: /P10 /,
    seed: {
      file: 'api/processes/run-worker.ts',
      find: "link.send({ kind: 'ready' });",
      put: `server.on('request', (_, response) => response.once('close', () => response.writableFinished || pool.connect(() => {})));
        link.send({ kind: 'ready' });`,
    },
  },
  {
    name: 'dead-handed-out',
    kind: 'loss',
    says: 'a resting connection that the database ended is lent out again',
    expects: /P12 /,
    seed: makes(`const remove = pool['_remove' as never] as never as (client: unknown, done: unknown) => void;
      Object.assign(pool, { _remove: (client: unknown, done?: unknown) => done && remove.call(pool, client, done) });`),
  },
  {
    name: 'failed-connect-counted',
    kind: 'loss',
    says: 'a connection that could not be opened counts as open for ever',
    expects: /P12 /,
    seed: makes(`const open = pool['newClient' as never];
      Object.assign(pool, { newClient: (item) => open.call(pool, Object.create(item, { callback: { value: (err, ...rest) => {
        if (err) pool['_clients'].push({});
        item.callback(err, ...rest);
      } } })) });`),
  },
];

export const pools: readonly Defect[] = [...size, ...waiting, ...lifetime, ...loss];
