import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { showCount } from '#lib/show.ts';
import { createHttpClient } from '../../targets/http-client.ts';
import type { Target } from '../../targets/target.ts';
import type { PrepareRequest, Scenario, Stage } from '../scenario.ts';
import { markOf, readShopBooks, tellBooks, type ShopBooks } from './books.ts';
import { catalogueOf, readGoods } from './catalogue.ts';
import { registerClients, removeClients, type ShopClient } from './clients.ts';
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
    await removeAccounts(target, clients);
    throw err;
  }
  const mark = await markOf(target);
  const facts: ShopFacts = { runId, catalogue, weights, slowShare: isSlow ? slowQueryShare : 0, isShared: target.kind === 'given' };
  let ordersStored: number | undefined;
  return {
    facts,
    users: [...clients],
    enroll: async (count) => {
      const known = clients.length;
      await register(known + count);
      return clients.slice(known);
    },
    disturbed: isSlow ? [slowEndpoint] : [],
    readBooks: async () => {
      const books = await readShopBooks(target, { before: goods, clients, mark });
      ordersStored = books.stored?.orders.length;
      return books;
    },
    cleanUp: async () => [...(await removeAccounts(target, clients)), ...whatRemains(target, ordersStored)],
  };
}

/** Accounts of an own stack go with it. @returns what could not be removed, in words */
async function removeAccounts(target: Target, clients: readonly ShopClient[]): Promise<string[]> {
  if (target.kind === 'own') return [];
  const http = createHttpClient(target.origin);
  try {
    const left = await removeClients(http, clients.filter(Boolean), target.loadtestKey);
    return left === 0 ? [] : [`${showCount(left)} accounts of name "Load" that could not be deleted`];
  } finally {
    await http.close();
  }
}

/** An order is a document: it stays, and what it sold stays sold, when its buyer is gone. */
function whatRemains(target: Target, orders: number | undefined): string[] {
  if (target.kind === 'own' || orders === 0) return [];
  return [`${orders === undefined ? 'its' : showCount(orders)} orders of buyers who are deleted, and the stock they sold`];
}
