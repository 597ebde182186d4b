import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { showCount } from '#lib/show.ts';
import { createHttpClient } from '../../targets/http-client.ts';
import type { Target } from '../../targets/target.ts';
import type { PrepareRequest, Scenario, Stage } from '../scenario.ts';
import { markOf, readShopBooks, tellBooks, type ShopBooks } from './books.ts';
import { catalogueOf, readGoods } from './catalogue.ts';
import { cancelOrders, registerClients, removeClients, type ShopClient } from './clients.ts';
import type { ShopFacts } from './crowd.ts';
import type { VisitWeights } from './journey.ts';
import { ordersOf } from './judges.ts';
import { installSlowQuery, slowEndpoint, slowQueryShare } from './slow-query.ts';

/** The shop of this project: people who browse, filter, read, order and look at what they ordered. */
export const shop = (weights: VisitWeights): Scenario => ({
  name: 'shop',
  crowdFile: join(import.meta.dirname, 'crowd.ts'),
  nullServerFile: join(import.meta.dirname, 'null-shop.ts'),
  k6: () => ({ script: readFileSync(join(import.meta.dirname, 'k6-shop.js'), 'utf8'), facts: { weights }, endpoints: k6Endpoints }),
  leaves:
    'accounts of name "Load" are made there and deleted in the end; their orders stay, canceled, so that the stock they take comes back',
  mixes: { 'slow-query': 'part of the orders run into a slow statement' },
  highlights: (measurement) => {
    const { acknowledged, refused, unknown, raced } = ordersOf(measurement);
    const note = `${showCount(refused)} refused, ${showCount(unknown)} unknown; ${showCount(raced)} met another at the same product`;
    return [{ label: 'Orders placed', value: showCount(acknowledged), note }];
  },
  tellBooks: ({ books }) => tellBooks(books as ShopBooks | null),
  prepare: (target, request) => prepareShop(weights, target, request),
});

/** As `k6-shop.js` names them. */
const k6Endpoints = [
  'GET /categories',
  'GET /products',
  'GET /products/filter',
  'GET /products/:id',
  'POST /orders',
  'POST /orders (again)',
  'GET /orders',
  'GET /orders/:id',
];

/** Reads the catalogue and gives every user an account of its own. */
async function prepareShop(weights: VisitWeights, target: Target, { runId, users, mix, http }: PrepareRequest): Promise<Stage> {
  const isSlow = mix.includes('slow-query') && target.postgres !== undefined;
  if (isSlow && target.postgres) await installSlowQuery(target.postgres);
  const goods = await readGoods(http);
  const catalogue = catalogueOf(goods, http.origin);
  const clients: ShopClient[] = [];
  const register = (count: number): Promise<void> => registerClients(http, { count, loadtestKey: target.loadtestKey, runId, clients });
  try {
    await register(users);
  } catch (err) {
    await leave(target, clients, runId);
    throw err;
  }
  const mark = await markOf(target);
  const facts: ShopFacts = { runId, catalogue, weights, slowShare: isSlow ? slowQueryShare : 0, isShared: target.kind === 'given' };
  return {
    facts,
    users: [...clients],
    enroll: async (count) => {
      const known = clients.length;
      await register(known + count);
      return clients.slice(known);
    },
    disturbed: isSlow ? [slowEndpoint] : [],
    readBooks: () => readShopBooks(target, { before: goods, clients, mark }),
    cleanUp: () => leave(target, clients, runId),
  };
}

/** Gives back the stock that was sold and deletes the accounts; those of an own stack go with it. @returns what remains, in words */
async function leave(target: Target, clients: readonly ShopClient[], runId: string): Promise<string[]> {
  if (target.kind === 'own') return [];
  const http = createHttpClient(target.origin);
  try {
    const made = clients.filter(Boolean);
    const { canceled, isWhole } = await cancelOrders(http, made, runId);
    const left = await removeClients(http, made, target.loadtestKey);
    return [
      ...(left === 0 ? [] : [`${showCount(left)} accounts of name "Load" that could not be deleted`]),
      ...(canceled === 0 ? [] : [`${showCount(canceled)} canceled orders of buyers who are deleted`]),
      ...(isWhole ? [] : ['orders that could not be canceled, and the stock they sold']),
    ];
  } finally {
    await http.close();
  }
}
