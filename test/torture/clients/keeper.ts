import { pick, randomInt } from '#loadtest/generate/random.ts';
import { insist, isOpen, pause, type Answer } from '../asking.ts';
import { things } from '../things.ts';
import { add, ask, create, learn, lookAt, numbered, wrong, type Keeper, type KeeperOptions } from './keeping.ts';

/** A customer who keeps addresses, reviews and an order filled line by line; changes them, takes them out, and tries those of others. */

export async function keep(options: KeeperOptions): Promise<void> {
  const { course, random, client } = options;
  const headers = { authorization: `Bearer ${client.accessToken}` };
  const keeper: Keeper = { ...options, headers, own: [], order: undefined, next: 0 };
  while (!course.isOver()) {
    const dice = random();
    const act = deeds.find(({ upTo }) => dice < upTo)?.does ?? look;
    await pause(random, await act(keeper));
  }
}

type Deed = (keeper: Keeper) => Promise<Answer | undefined>;

const addAddress: Deed = (keeper) => add(keeper, 'address', { client_id: keeper.client.clientId });

/** Of a product that it has reviewed already too, which is refused. */
const addReview: Deed = (keeper) => add(keeper, 'review', { product_id: pick(keeper.random, keeper.products) });

const addLine: Deed = async (keeper) => {
  const { random, products, order } = keeper;
  const product = pick(random, random() < 0.3 ? products.slice(0, 2) : products);
  return order === undefined ? begin(keeper) : add(keeper, 'line', { order_id: order, product_id: product });
};

/** As clients of the original do: a bill, an order that is empty, and then its lines. */
const begin: Deed = async (keeper) => {
  const { client, random } = keeper;
  const payment = randomInt(random, 1, 5);
  const body = { client_id: client.clientId, payment_type: payment };
  const billed = await create(keeper, { thing: 'bill', content: `${payment}`, path: '/bills', body });
  if (billed?.status !== 201) return billed;
  const { id_key: bill } = JSON.parse(billed.body) as { id_key: number };
  const empty = { client_id: client.clientId, delivery_method: 1, bill_id: bill };
  const placed = await create(keeper, { thing: 'order', content: `${bill}`, path: '/orders', body: empty });
  if (placed?.status === 201) keeper.order = (JSON.parse(placed.body) as { id_key: number }).id_key;
  return placed;
};

/** Lets the order be, or cancels it while one of its lines is being changed. */
const finish: Deed = async (keeper) => {
  const { course, random, client, headers, order } = keeper;
  if (order === undefined) return begin(keeper);
  const lines = keeper.own.filter(({ thing }) => thing === 'line');
  keeper.order = undefined;
  keeper.own = keeper.own.filter(({ thing }) => thing !== 'line');
  const [line] = lines;
  if (line === undefined || random() < 0.3) return look(keeper);
  const [answer] = await Promise.all([
    insist(course, random, {
      actor: `${client.clientId}`,
      key: numbered(keeper, 'cancel'),
      what: { kind: 'cancel', order },
      request: { method: 'POST', path: `/orders/${order}/cancel`, headers },
    }),
    random() < 0.5 ? ask(keeper, line, 'change') : ask(keeper, line, 'remove'),
  ]);
  return answer;
};

const change: Deed = async (keeper) => {
  if (keeper.own.length === 0) return addAddress(keeper);
  const lines = keeper.own.filter(({ thing }) => thing === 'line');
  // What they move makes lines the most of it.
  const one = pick(keeper.random, lines.length > 0 && keeper.random() < 0.6 ? lines : keeper.own);
  const answer = await ask(keeper, one, 'change');
  if (answer?.status === 200) learn(keeper, one, answer);
  else if (isOpen(answer) || answer?.status === 412 || answer?.status === 404) await lookAt(keeper, one);
  return answer;
};

const remove: Deed = async (keeper) => {
  if (keeper.own.length < 5) return addLine(keeper);
  const one = pick(keeper.random, keeper.own);
  const answer = await ask(keeper, one, 'remove');
  if (answer?.status === 204) {
    keeper.own = keeper.own.filter((other) => other !== one);
    const { path } = things[one.thing];
    const after = await keeper.course.ask({ method: 'GET', path: `${path}/${one.id}`, headers: keeper.headers });
    if (after?.status === 200) wrong(keeper, 'fresh-reads', `${one.thing} ${one.id} was taken out, and then shown`);
  } else if (isOpen(answer) || answer?.status === 412) await lookAt(keeper, one);
  return answer;
};

const look: Deed = (keeper) => (keeper.own.length === 0 ? addAddress(keeper) : lookAt(keeper, pick(keeper.random, keeper.own)));

const newest = 15;

const meddle: Deed = async (keeper) => {
  const { course, random, known, client, headers } = keeper;
  const kind = pick(random, Object.keys(things));
  // The newest are there most likely.
  const others = known.filter((one) => one.client !== client.clientId && one.thing === kind).slice(-newest);
  if (others.length === 0) return look(keeper);
  const { thing, id } = pick(random, others);
  const path = `${things[thing].path}/${id}`;
  // Anybody may read a review.
  const method = pick(random, thing === 'review' ? (['PUT', 'DELETE'] as const) : (['GET', 'PUT', 'DELETE'] as const));
  const answer = await course.ask({
    method,
    path,
    headers,
    ...(method === 'PUT' && { body: things[thing].bodyOf(thing === 'line' ? '9' : 'not of mine') }),
  });
  if (answer !== undefined && answer.status < 300)
    wrong(keeper, 'own-data', `${method} of ${thing} ${id}, another's, by client ${client.clientId} was answered ${answer.status}`);
  return answer;
};

/** Shares of what a keeper does; the rest of the time it looks at what it has. */
const deeds: readonly { readonly upTo: number; readonly does: Deed }[] = [
  { upTo: 0.04, does: addAddress },
  { upTo: 0.08, does: addReview },
  { upTo: 0.24, does: addLine },
  { upTo: 0.28, does: finish },
  { upTo: 0.52, does: change },
  { upTo: 0.66, does: remove },
  { upTo: 0.74, does: meddle },
];
