import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createNotebook } from '#loadtest/generate/notebook.ts';
import type { Answer, Step } from '#loadtest/generate/step.ts';
import { createCrowd, type ShopFacts } from '#loadtest/scenarios/shop/crowd.ts';
import type { Product } from '#loadtest/scenarios/shop/shelf.ts';
import { answerOf, goods, orderJson, placedAnswer, problem, productJson } from '../scenarios/shop/right-answers.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const facts: ShopFacts = {
  runId: 'lt-1',
  catalogue: { goods, orderable: [1, 2, 3, 4, 5, 6], words: ['lamp'] },
  weights: { browse: 6, buy: 3, lookBack: 1 },
  slowShare: 0,
  isShared: true,
};

let lastOrder = 0;

/** Products and orders as they should be; whatever else is asked for is not there, which is wrong. */
function answer({ method, path, body = '' }: Step): Answer {
  const product = goods.products[Number(/\/products\/(\d+)$/.exec(path)?.[1]) - 1];
  if (product) return answerOf(200, productJson(product), { etag: '"1"' });
  if (method !== 'POST') return problem(404, 'not_found');
  const { client_id, delivery_method, lines } = JSON.parse(body) as ReturnType<typeof orderJson>;
  const priced = lines.map(({ product_id, quantity }, i) => {
    const { name, priceCents } = goods.products[product_id - 1] as Product;
    return { id_key: i + 1, product_id, product_name: name, quantity, price: priceCents / 100 };
  });
  const total = priced.reduce((sum, { quantity, price }) => sum + quantity * Math.round(100 * price), 0) / 100;
  return placedAnswer(orderJson((lastOrder += 1), { client_id, delivery_method, lines: priced, total }));
}

test('what a generator remembers of ten minutes does not grow with its requests: the shop’s buyers, and what is taken down of them', () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const notebook = createNotebook({ startSecond: 0, warmUpMs: 0, isRehearsal: false });
  let events = 0;
  const crowd = createCrowd({ script: 'shop', seed: 1, facts, record: () => (events += 1) });
  const users = Array.from({ length: 20 }, (_, i) => crowd.user(i, { clientId: 100 + i, accessToken: 't' }));
  /** Four hundred requests a second, each with another latency; what is over is handed on, as a generator does. */
  const play = (seconds: number): number => {
    for (let request = 0; request < 400 * seconds; request += 1) {
      const user = users[request % users.length] as (typeof users)[number];
      const step = user.next();
      notebook.sent(user, step);
      notebook.answered(user, step, { ...answer(step), ms: 1 + (request % 997) });
      vi.advanceTimersByTime(2.5);
      if (request % 400 === 399) notebook.takeSlices();
    }
    // Once is not enough for what has finalizers.
    for (let times = 0; times < 3; times += 1) collect();
    return process.memoryUsage().heapUsed;
  };
  // By then what is remembered for a minute has come to stay. A compiler's leavings may go meanwhile, though hardly twice.
  const [early, half, late] = [play(90), play(255), play(255)];
  expect(lastOrder).toBeGreaterThan(15_000);
  expect(events).toBeGreaterThan(lastOrder);
  // Eight bytes of each request would be 816,000.
  expect(Math.max(half - early, late - half)).toBeLessThan(600_000);
  const { slices, ...kept } = notebook.close();
  expect(new Set(slices.map(({ second }) => second))).toEqual(new Set([599]));
  expect(JSON.stringify(kept).length).toBeLessThan(300_000);
});
