import { pick, randomInt, type Random } from '#loadtest/generate/random.ts';
import { orderOf, type SeenOrder } from '#loadtest/scenarios/shop/look-at-orders.ts';
import { insist, pause, send, type Answer, type Course, type Write } from '../asking.ts';

/** A customer: looks, orders, orders the same again, cancels, and looks at what is not its own. */

export type BuyerOptions = {
  readonly course: Course;
  readonly random: Random;
  readonly client: { readonly clientId: number; readonly accessToken: string };
  /** Four with little stock, which everybody wants; the others have enough, and of them the first four are ordered at once by many. */
  readonly products: readonly number[];
  /** Orders told to anybody, for those who work on them or must not see them; the newest last. */
  readonly placed: SeenOrder[];
};

type Buyer = BuyerOptions & {
  readonly headers: Readonly<Record<string, string>>;
  readonly own: Placed[];
  next: number;
};

type Placed = { readonly order: SeenOrder; readonly write: Write; readonly body: string; isCanceled: boolean };

const maxKept = 500;

export async function buy(options: BuyerOptions): Promise<void> {
  const { course, random, client } = options;
  const buyer: Buyer = { ...options, headers: { authorization: `Bearer ${client.accessToken}` }, own: [], next: 0 };
  while (!course.isOver()) {
    const dice = random();
    const act = deeds.find(({ upTo }) => dice < upTo)?.does ?? lookAtProduct;
    await pause(random, await act(buyer));
  }
}

type Deed = (buyer: Buyer) => Promise<Answer | undefined>;

const lookAtProduct: Deed = async ({ course, random, products }) => {
  const id = pick(random, products);
  const answer = await course.ask({ method: 'GET', path: `/products/${id}`, headers: {} });
  const stock = answer?.status === 200 ? Number(/"stock":(-?\d+)/.exec(answer.body)?.[1]) : 0;
  if (!(stock >= 0)) course.seen.push({ rule: 'right-answers', detail: `product ${id} is shown with a stock of ${stock}` });
  return answer;
};

/** What has been told of an order to its buyer before is told again, and nothing older. */
const lookAtOwn: Deed = async (buyer) => {
  const { random, own } = buyer;
  const known = own.at(-randomInt(random, 1, Math.min(5, own.length)));
  return known === undefined ? lookAtProduct(buyer) : lookAt(buyer, known);
};

async function lookAt({ course, headers, client }: Buyer, known: Placed): Promise<Answer | undefined> {
  const { isCanceled } = known;
  const answer = await course.ask({ method: 'GET', path: `/orders/${known.order.id}`, headers });
  const seen = answer?.status === 200 ? orderOf(JSON.parse(answer.body)) : undefined;
  const at = `order ${known.order.id} of client ${client.clientId}`;
  if (answer?.status === 404) course.seen.push({ rule: 'fresh-reads', detail: `${at} was acknowledged, and then not found` });
  if (seen && seen.client !== client.clientId)
    course.seen.push({ rule: 'own-data', detail: `${at} was shown as of client ${seen.client}` });
  if (seen && isCanceled && seen.status !== 4)
    course.seen.push({ rule: 'fresh-reads', detail: `${at} was canceled, and then shown with status ${seen.status}` });
  return answer;
}

const listOwn: Deed = async ({ course, headers, client }) => {
  const answer = await course.ask({ method: 'GET', path: '/orders?limit=10', headers });
  if (answer?.status !== 200) return answer;
  for (const { id_key: id, client_id: owner } of JSON.parse(answer.body) as { id_key: number; client_id: number }[]) {
    if (owner !== client.clientId)
      course.seen.push({ rule: 'own-data', detail: `order ${id} of client ${owner} stood in the list of client ${client.clientId}` });
  }
  return answer;
};

const lookAtAnothers: Deed = async (buyer) => {
  const { course, random, placed, headers, client } = buyer;
  const order = placed.length === 0 ? undefined : pick(random, placed);
  if (order === undefined || order.client === client.clientId) return lookAtProduct(buyer);
  const answer = await course.ask({ method: 'GET', path: `/orders/${order.id}`, headers });
  if (answer?.status === 200)
    course.seen.push({ rule: 'own-data', detail: `order ${order.id} of client ${order.client} was shown to client ${client.clientId}` });
  return answer;
};

/** One order in ten is sent twice at once; the key of one in ten is the same text that others use for theirs. */
const order: Deed = (buyer) => place(buyer, cart(buyer));

/** The same goods at once, each time in another order: whoever locks them as they stand in the cart waits in a circle. */
const rush: Deed = async (buyer) => {
  const { random, products } = buyer;
  const carts = Array.from({ length: rushes }, () => {
    const wanted = products.slice(scarce, scarce + popular).map((product) => ({ product, quantity: 1, place: random() }));
    return wanted.toSorted((a, b) => a.place - b.place).map(({ product, quantity }) => ({ product, quantity }));
  });
  const answers = await Promise.all(carts.map((lines) => place(buyer, lines)));
  return answers.find((answer) => answer?.status !== 201) ?? answers[0];
};

const rushes = 6;

async function place(buyer: Buyer, lines: readonly Line[]): Promise<Answer | undefined> {
  const { course, random, client, headers } = buyer;
  const deliveryMethod = randomInt(random, 1, 3);
  const number = (buyer.next += 1);
  const write: Write = {
    actor: `${client.clientId}`,
    key: number % 10 === 0 ? `common-${number}` : `order-${client.clientId}-${number}`,
    what: { kind: 'order', client: client.clientId, deliveryMethod, lines },
    request: {
      method: 'POST',
      path: '/orders',
      headers,
      body: {
        client_id: client.clientId,
        delivery_method: deliveryMethod,
        lines: lines.map(({ product, quantity }) => ({ product_id: product, quantity })),
      },
    },
  };
  const [answer] = await Promise.all([insist(course, random, write), ...(number % 10 === 5 ? [send(course, write)] : [])]);
  if (answer?.status !== 201) return answer;
  remember(buyer, write, answer.body);
  const known = buyer.own.at(-1);
  // Many look at once at what they have just ordered.
  if (known !== undefined && random() < 0.3) await lookAt(buyer, known);
  return answer;
}

type Line = { readonly product: number; readonly quantity: number };

const [scarce, popular] = [4, 4];

function cart({ random, products }: Buyer): Line[] {
  const chosen = new Set(
    Array.from({ length: randomInt(random, 1, 3) }, () =>
      random() < 0.3 ? pick(random, products.slice(0, scarce)) : pick(random, products),
    ),
  );
  return [...chosen].map((product) => ({ product, quantity: randomInt(random, 1, 3) }));
}

function remember({ course, own, placed, client }: Buyer, write: Write, body: string): void {
  const seen = orderOf(JSON.parse(body));
  if (seen === undefined) {
    course.seen.push({ rule: 'right-answers', detail: `no order: ${body.slice(0, 200)}` });
    return;
  }
  if (seen.client !== client.clientId)
    course.seen.push({
      rule: 'own-data',
      detail: `client ${client.clientId} was answered with order ${seen.id} of client ${seen.client}, key ${write.key}`,
    });
  own.push({ order: seen, write, body, isCanceled: false });
  placed.push(seen);
  for (const list of [own, placed]) if (list.length > maxKept) list.shift();
}

const orderAgain: Deed = async (buyer) => {
  const { course, random, own } = buyer;
  return own.length === 0 ? lookAtProduct(buyer) : send(course, pick(random, own).write);
};

/** Now and then by two requests at once, of which one may succeed. */
const cancel: Deed = async (buyer) => {
  const { course, random, own, client, headers } = buyer;
  const known = own.at(-randomInt(random, 1, Math.min(10, own.length)));
  if (known === undefined) return lookAtProduct(buyer);
  const { id } = known.order;
  const write = (): Write => ({
    actor: `${client.clientId}`,
    key: `cancel-${id}-${(buyer.next += 1)}`,
    what: { kind: 'cancel', order: id },
    request: { method: 'POST', path: `/orders/${id}/cancel`, headers },
  });
  const answers = await Promise.all(Array.from({ length: random() < 0.4 ? 2 : 1 }, () => insist(course, random, write())));
  known.isCanceled ||= answers.some((answer) => answer?.status === 200);
  return answers[0];
};

/** Shares of what a buyer does; the rest of the time it looks at products. */
const deeds: readonly { readonly upTo: number; readonly does: Deed }[] = [
  { upTo: 0.1, does: order },
  { upTo: 0.125, does: cancel },
  { upTo: 0.14, does: orderAgain },
  { upTo: 0.155, does: rush },
  { upTo: 0.235, does: lookAtOwn },
  { upTo: 0.265, does: listOwn },
  { upTo: 0.295, does: lookAtAnothers },
];
