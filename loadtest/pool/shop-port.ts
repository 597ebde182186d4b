import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, escapeIdentifier } from 'pg';
import { clientOptions } from '#lib/postgres.ts';
import type { PostgresSettings } from '#lib/settings.ts';
import { openConnection, type Connection } from '../generate/connection.ts';
import type { Step } from '../generate/step.ts';
import { parseServerTiming } from '../generate/timing-recorder.ts';
import { createAdminReader, type AdminReader } from '../observe/admin-reader.ts';
import { parseCpuLine } from '../observe/watch-machine.ts';
import { catalogueOf, readGoods } from '../scenarios/shop/catalogue.ts';
import { registerClients, type ShopClient } from '../scenarios/shop/clients.ts';
import { installSlowQuery } from '../scenarios/shop/slow-query.ts';
import { createSetUpClient, SetUpError } from '../targets/set-up.ts';
import type { Target } from '../targets/target.ts';
import { createHttpClient } from '../targets/http-client.ts';
import type { Health, Kind, Look, Session } from './recording.ts';
import { readRoutes, stepOf, type Orders } from './shop-steps.ts';
import type { Lane, Port } from './suite.ts';

/** The shop of a throw-away stack, seen and harmed through its database. */
export type ShopPort = { readonly port: Port; readonly close: () => Promise<void> };

/** Longer than an acquire timeout and a slow statement: no answer by then is a hang. */
const givesUpMs = 10_000;
const abandonsMs = 50;
/** After it every pool has noticed that its sessions are gone. */
const settleMs = 500;
/** The request is on its way by then, and hardly ever answered. */
const hastyMs = 4;
/** More than a run can buy. */
const plenty = 1_000_000_000;

const ofApi = `FROM pg_stat_activity WHERE application_name = 'atalaya-api' AND datname = current_database()`;
const seenSql = `
  SELECT (SELECT sessions::float8 FROM pg_stat_database WHERE datname = current_database()) AS opened,
         (SELECT coalesce(json_agg(one), '[]') FROM (
            SELECT pid, (extract(epoch FROM clock_timestamp() - backend_start) * 1000)::float8 AS "ageMs",
                   CASE WHEN state LIKE 'idle in transaction%' THEN 'idle in transaction' WHEN state = 'active' THEN 'active' ELSE 'idle' END AS state
            ${ofApi}) AS one) AS sessions`;
const terminateAllSql = `SELECT pg_terminate_backend(pid) ${ofApi}`;
const terminateSql = `
  SELECT pg_terminate_backend(pid) FROM (SELECT pid ${ofApi} ORDER BY pid LIMIT (SELECT (count(*) + 1) / 2 ${ofApi})) AS half`;
// P0001 is no code that a service can know.
const brokenSql = `
  CREATE OR REPLACE FUNCTION loadtest_broken() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'provoked by the load test'; END $$;
  CREATE OR REPLACE TRIGGER loadtest_broken BEFORE INSERT ON orders FOR EACH ROW
    WHEN (NEW.total_cents = 0 AND NEW.delivery_method = 2) EXECUTE FUNCTION loadtest_broken();`;
// Reading goes on; whoever moves stock waits.
const lockSql = 'LOCK TABLE products IN EXCLUSIVE MODE';

/**
 * Makes accounts, a slow statement and one that fails, and fills the shelves.
 * @param lanes clients at once
 * @throws {SetUpError} when the shop cannot be made ready
 */
export async function openShopPort(target: Target, lanes: number, signal: AbortSignal): Promise<ShopPort> {
  if (target.kind !== 'own' || target.postgres === undefined) throw new SetUpError('pools are harmed on a stack of its own only');
  await installSlowQuery(target.postgres);
  const http = createSetUpClient(target.origin, signal);
  const clients: ShopClient[] = [];
  const runId = `pool-${randomBytes(5).toString('hex')}`;
  const watcher = await connect(target.postgres);
  try {
    await watcher.query(brokenSql);
    await watcher.query(`UPDATE products SET stock = ${plenty}`);
    const [product = 0] = catalogueOf(await readGoods(http), target.origin).orderable;
    await registerClients(http, { count: lanes, loadtestKey: target.loadtestKey, runId, clients });
    // So that no connection is older than what is played.
    await watcher.query(terminateAllSql);
    await sleep(settleMs);
    const admin = createAdminReader(target);
    const shop = { target, clients, product, runId, routes: await readRoutes(http) };
    const health = watchHealth(target.origin);
    const close = async (): Promise<void> => void (await Promise.all([admin.close(), watcher.end(), health.close()]));
    return { port: portOf(shop, { admin, watcher, health, postgres: target.postgres }, signal), close };
  } catch (err) {
    await watcher.end();
    throw err;
  } finally {
    await http.close();
  }
}

type Shop = Orders & { readonly target: Target; readonly clients: readonly ShopClient[] };

type Means = {
  readonly admin: AdminReader;
  readonly watcher: Client;
  readonly health: HealthWatch;
  readonly postgres: PostgresSettings;
};

function portOf(shop: Shop, { admin, watcher, health, postgres }: Means, signal: AbortSignal): Port {
  let opened = 0;
  let sent = 0;
  return {
    now: () => performance.now(),
    waitUntil: async (atMs) => {
      for (let leftMs = atMs - performance.now(); leftMs > 0; leftMs = atMs - performance.now()) await sleep(leftMs, undefined, { signal });
      signal.throwIfAborted();
    },
    lane: () => {
      const client = shop.clients[(opened += 1) % shop.clients.length] as ShopClient;
      return openLane(shop.target.origin, (kind) => stepOf(kind, shop, client, (sent += 1)));
    },
    look: async () => {
      const [state, stat, seen] = await Promise.all([
        admin.state(),
        readFile('/proc/stat', 'utf8').catch(() => ''),
        watcher.query<Seen>(seenSql).then(
          ({ rows: [row] }) => row,
          () => undefined,
        ),
      ]);
      const { inUse = null, waiting = null, capacity = null } = state?.pool ?? {};
      const { sessions, opened: begun } = seen ?? { sessions: null, opened: null };
      return { inUse, waiting, capacity, sessions, opened: begun, health: health.last(), cpu: parseCpuLine(stat) ?? null };
    },
    lock: async () => {
      const locker = await connect(postgres);
      await locker.query('BEGIN');
      await locker.query(lockSql);
      return () => locker.end();
    },
    terminateHalf: async () => {
      const hand = await connect(postgres);
      const { rowCount } = await hand.query(terminateSql).finally(() => hand.end());
      return rowCount ?? 0;
    },
    shut: async () => {
      const role = escapeIdentifier(postgres.POSTGRES_USER);
      // Stays: later it would not be let in either.
      const hand = await connect(postgres);
      await hand.query(`ALTER ROLE ${role} NOLOGIN`);
      await hand.query(terminateAllSql);
      return async () => void (await hand.query(`ALTER ROLE ${role} LOGIN`).finally(() => hand.end()));
    },
  };
}

/** What the database tells at one look. */
type Seen = Pick<Look, 'opened'> & { readonly sessions: readonly Session[] };

/** Asks for the health of one process over and over, and lets nobody wait for the answer. */
type HealthWatch = { readonly last: () => Health | null; readonly close: () => Promise<void> };

function watchHealth(origin: string): HealthWatch {
  const http = createHttpClient(origin, 1);
  let known: Health | null = null;
  let isAsking = false;
  const ask = async (): Promise<void> => {
    isAsking = true;
    try {
      const { status, json } = await http.send({ method: 'GET', path: '/health_check' });
      const { total_capacity: capacity = null, checked_out: lent = null } = (json as HealthDocument | null)?.checks?.db_pool ?? {};
      known = { status, capacity, lent };
    } catch {
      // Nothing is known then.
      known = null;
    }
    isAsking = false;
  };
  return {
    last: () => {
      if (!isAsking) void ask();
      return known;
    },
    close: http.close,
  };
}

type HealthDocument = { readonly checks?: { readonly db_pool?: { readonly total_capacity?: number; readonly checked_out?: number } } };

async function connect(postgres: PostgresSettings): Promise<Client> {
  const client = new Client({ ...clientOptions(postgres, 'atalaya-loadtest'), query_timeout: 10_000 });
  client.on('error', () => {});
  await client.connect();
  return client;
}

function openLane(origin: string, stepFor: (kind: Kind) => Step): Lane {
  const patient = openConnection(origin, givesUpMs);
  const leaving: Partial<Record<Kind, Connection>> = {
    abandoned: openConnection(origin, abandonsMs),
    hasty: openConnection(origin, hastyMs),
  };
  return {
    send: async (kind) => {
      const exchange = await (leaving[kind] ?? patient).send(stepFor(kind));
      if (exchange.kind !== 'answer') return { status: null, retryAfter: undefined, waitMs: null, holdMs: null };
      const { status, headers } = exchange;
      const timing = parseServerTiming(headers['server-timing']);
      return { status, retryAfter: headers['retry-after'], waitMs: timing?.pool ?? null, holdMs: timing?.db ?? null };
    },
    close: async () => void (await Promise.all([patient, ...Object.values(leaving)].map((connection) => connection.close()))),
  };
}
