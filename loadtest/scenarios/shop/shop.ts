import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { showCount } from '#lib/show.ts';
import { createHttpClient } from '../../targets/http-client.ts';
import type { Target } from '../../targets/target.ts';
import type { PrepareRequest, Scenario, Stage } from '../scenario.ts';
import { markOf, readShopBooks } from './books.ts';
import { catalogueOf, readGoods } from './catalogue.ts';
import { registerClients, removeClients, type ShopClient } from './clients.ts';
import type { ShopFacts } from './crowd.ts';
import type { VisitWeights } from './journey.ts';
import { ordersOf } from './judges.ts';
import { installSlowQuery, slowEndpoint, slowQueryShare } from './slow-query.ts';

/** Requests under way at once while a run is prepared. */
const setUpConnections = 16;

/** The shop of this project: people who browse, filter, read, order and look at what they ordered. */
export const shop = (weights: VisitWeights): Scenario => ({
  name: 'shop',
  crowdFile: join(import.meta.dirname, 'crowd.ts'),
  nullServerFile: join(import.meta.dirname, 'null-shop.ts'),
  mixes: { 'slow-query': 'part of the orders run into a slow statement' },
  highlights: (measurement) => {
    const { acknowledged, refused, unknown } = ordersOf(measurement);
    return [
      { label: 'Orders placed', value: showCount(acknowledged), note: `${showCount(refused)} refused, ${showCount(unknown)} unknown` },
    ];
  },
  prepare: (target, request) => prepareShop(weights, target, request),
});

/** Reads the catalogue and gives every user an account of its own. */
async function prepareShop(weights: VisitWeights, target: Target, { users, mix }: PrepareRequest): Promise<Stage> {
  const isSlow = mix.includes('slow-query') && target.postgres !== undefined;
  if (isSlow && target.postgres) await installSlowQuery(target.postgres);
  const runId = `lt-${randomBytes(5).toString('hex')}`;
  const http = createHttpClient(target.origin, setUpConnections);
  try {
    const goods = await readGoods(http);
    const catalogue = catalogueOf(goods, http.origin);
    const clients = await registerClients(http, { count: users, loadtestKey: target.loadtestKey, runId });
    const mark = await markOf(target);
    const facts: ShopFacts = { runId, catalogue, weights, slowShare: isSlow ? slowQueryShare : 0, isShared: target.kind === 'given' };
    return {
      runId,
      facts,
      users: clients,
      disturbed: isSlow ? [slowEndpoint] : [],
      readBooks: () => readShopBooks(target, { before: goods, clients, mark }),
      cleanUp: () => cleanUp(target, clients),
    };
  } finally {
    await http.close();
  }
}

/** Accounts of an own stack go with it. */
async function cleanUp(target: Target, clients: readonly ShopClient[]): Promise<string[]> {
  if (target.kind === 'own') return [];
  const http = createHttpClient(target.origin, setUpConnections);
  try {
    const left = await removeClients(http, clients, target.loadtestKey);
    return left === 0 ? [] : [`${left} accounts that could not be deleted`];
  } finally {
    await http.close();
  }
}
