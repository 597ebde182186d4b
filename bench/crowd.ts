import { createRandom, pick, pickPopular, randomInt, type Random } from '#loadtest/generate/random.ts';
import type { Crowd, CrowdOptions, Step } from '#loadtest/generate/step.ts';
import type { ShopClient } from '#loadtest/scenarios/shop/clients.ts';
import type { ShopFacts } from '#loadtest/scenarios/shop/crowd.ts';

/** The users of the bench: each sends one kind of request, as fast as it is answered, and looks at nothing but the status. */

type Asker = {
  readonly random: Random;
  readonly facts: BenchFacts;
  readonly clientId: number;
  /** Begins every Idempotency-Key; unique to this user in this round. */
  readonly keyPrefix: string;
};

export type BenchFacts = Pick<ShopFacts, 'runId' | 'catalogue'>;

type Asked = Pick<Step, 'path'> & Partial<Pick<Step, 'method' | 'body' | 'headers'>>;

const pageSize = 20;
/** Half of what is ordered is what everybody orders, so that orders meet at the same products. */
const popularShare = 0.5;

/** What is asked for, by workload; `number` counts a user's requests. */
const scripts: Readonly<Record<string, (asker: Asker, number: number) => Asked>> = {
  read: ({ random, facts }) => ({ path: `/api/v1/products/${pick(random, facts.catalogue.goods.products).id}` }),
  list: () => ({ path: `/api/v1/products?skip=0&limit=${pageSize}` }),
  pages: ({ random, facts }) => {
    // Any place may begin a page, so that hardly two users ask for the same one.
    const skip = randomInt(random, 0, Math.max(0, facts.catalogue.goods.products.length - pageSize));
    return { path: `/api/v1/products?skip=${skip}&limit=${pageSize}` };
  },
  filter: ({ random, facts }) => {
    const query = `search=${pick(random, facts.catalogue.words)}&max_price=${randomInt(random, 20, 500)}.${randomInt(random, 10, 99)}`;
    return { path: `/api/v1/products/filter?${query}&in_stock_only=true&sort_by=price_asc&limit=${pageSize}` };
  },
  order: ({ random, facts, clientId, keyPrefix }, number) => {
    const { orderable } = facts.catalogue;
    const products = new Set<number>();
    while (products.size < Math.min(3, orderable.length)) {
      products.add(random() < popularShare ? pickPopular(random, orderable) : pick(random, orderable));
    }
    const lines = [...products].map((product_id) => ({ product_id, quantity: 1 }));
    return {
      method: 'POST',
      path: '/api/v1/orders',
      headers: { 'content-type': 'application/json', 'idempotency-key': `${keyPrefix}-${number}` },
      body: JSON.stringify({ client_id: clientId, delivery_method: 1, lines }),
    };
  },
};

export function createCrowd({ script, seed, facts }: CrowdOptions): Crowd {
  const ask = scripts[script];
  if (!ask) throw new RangeError(`the bench has no workload ${script}`);
  return {
    user: (index, client) => {
      const { clientId, accessToken } = client as ShopClient;
      const given = facts as BenchFacts;
      const asker = { random: createRandom(seed, index), facts: given, clientId, keyPrefix: `${given.runId}-${index}` };
      let number = 0;
      return {
        next: () => {
          const { method = 'GET', headers, ...asked } = ask(asker, (number += 1));
          return { endpoint: script, method, ...asked, headers: { authorization: `Bearer ${accessToken}`, ...headers } };
        },
        answered: (_step, { status }) => ({ outcome: status < 300 ? 'ok' : status === 429 ? 'limited' : 'http-error' }),
        unanswered: () => {},
      };
    },
    close: () => {},
  };
}
