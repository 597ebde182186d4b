/* The shop's users in k6's words; `npm run loadtest -- export k6` puts what they are told, and k6's options, before it. */
import http from 'k6/http';
import exec from 'k6/execution';
import { sleep } from 'k6';
import { Rate } from 'k6/metrics';

const origin = __ENV.TARGET || plan.target;
const key = __ENV.LOADTEST_KEY;
const wrongAnswers = new Rate('wrong_answers');
const headersOf = (more) => ({ 'content-type': 'application/json', ...more });

const pick = (items) => items[Math.floor(Math.random() * items.length)];
/** Of n the first is taken about log(2) / log(n + 1) of the time: what everybody buys. */
const pickPopular = (items) => items[Math.floor((items.length + 1) ** Math.random()) - 1];
const between = (least, most) => least + Math.floor(Math.random() * (most - least + 1));

/** Reads the catalogue and gives every user an account of its own. */
export function setup() {
  if (!key) throw new Error('LOADTEST_KEY is missing: k6 run -e LOADTEST_KEY=… with an API key of role loadtest');
  const run = `k6-${Date.now().toString(36)}`;
  const products = http.get(`${origin}/api/v1/products?limit=1000`).json();
  const categories = http.get(`${origin}/api/v1/categories?limit=1000`).json();
  const plenty = products.filter(({ stock }) => stock >= 50);
  const words = new Set(products.flatMap(({ name }) => name.toLowerCase().match(/[a-z]{4,}/g) ?? []));
  const clients = [];
  for (let index = 0; index < plan.users; index += 1) {
    const body = JSON.stringify({ name: 'Load', lastname: `Test ${index}`, email: `${run}-${index}@loadtest.invalid` });
    const headers = headersOf({ 'x-api-key': key, 'idempotency-key': `${run}-client-${index}` });
    const answer = http.post(`${origin}/api/v1/clients`, body, { headers });
    if (answer.status !== 201) throw new Error(`${origin} made no client: ${answer.status} ${answer.body}`);
    clients.push({ id: answer.json('id_key'), token: answer.json('access_token') });
  }
  return {
    run,
    clients,
    products: products.map(({ id_key: id }) => id),
    orderable: (plenty.length >= 10 ? plenty : products.filter(({ stock }) => stock > 0)).map(({ id_key: id }) => id),
    categories: categories.map(({ id_key: id }) => id),
    words: [...words].slice(0, 50),
  };
}

/** Deletes the accounts again; orders stay, and what they sold stays sold. */
export function teardown({ clients }) {
  for (const { id } of clients) http.del(`${origin}/api/v1/clients/${id}`, null, { headers: { 'x-api-key': key } });
}

/** One user: what it was told, and what it has done. */
const createUser = ({ run, clients, ...shop }) => {
  const index = (exec.vu.idInTest - 1) % clients.length;
  const { id: client, token } = clients[index];
  const authorization = `Bearer ${token}`;
  const keyPrefix = `${run}-${exec.scenario.name}-${exec.vu.idInTest}`;
  let [orders, lastOrder] = [0, undefined];

  const send = (endpoint, method, path, right, { body, headers } = {}) => {
    const options = {
      headers: headersOf({ authorization, ...headers }),
      tags: { endpoint, name: endpoint },
      timeout: plan.timeoutMs,
      responseCallback: http.expectedStatuses(...right),
    };
    const answer = http.request(method, `${origin}/api/v1${path}`, body ?? null, options);
    wrongAnswers.add(!right.includes(answer.status), { endpoint });
    return answer;
  };
  const product = (id) => send('GET /products/:id', 'GET', `/products/${id}`, [200]);
  const someProduct = () => (Math.random() < 0.5 ? pickPopular(shop.orderable) : pick(shop.products));
  const page = () =>
    send('GET /products', 'GET', `/products?skip=${20 * between(0, Math.floor((shop.products.length - 1) / 20))}&limit=20`, [200]);
  const filter = () => {
    const by = pick([
      `category_id=${pick(shop.categories)}`,
      `search=${pick(shop.words)}`,
      `max_price=${between(20, 500)}`,
      'in_stock_only=true',
    ]);
    const sort = pick(['price_asc', 'price_desc', 'name']);
    send('GET /products/filter', 'GET', `/products/filter?limit=20&sort_by=${sort}&${by}`, [200]);
  };
  const order = (number, endpoint, lines) => {
    const body = JSON.stringify({ client_id: client, delivery_method: between(1, 3), lines });
    // Sold out is no error of the shop.
    const answer = send(endpoint, 'POST', '/orders', [201, 409], {
      body,
      headers: { 'idempotency-key': `${keyPrefix}-${number}` },
    });
    if (answer.status === 201) lastOrder = answer.json('id_key');
    return body;
  };
  const again = (number, body) =>
    send('POST /orders (again)', 'POST', '/orders', [201, 409], {
      body,
      headers: { 'idempotency-key': `${keyPrefix}-${number}` },
    });
  const ownOrder = () => send('GET /orders/:id', 'GET', `/orders/${lastOrder}`, [200]);

  const visits = {
    *browse() {
      if (Math.random() < 0.2) yield send('GET /categories', 'GET', '/categories?limit=1000', [200]);
      yield Math.random() < 0.5 ? page() : filter();
      for (let left = between(1, 4); left > 0; left -= 1) yield product(someProduct());
    },
    *buy() {
      yield filter();
      for (let left = between(1, 3); left > 0; left -= 1) yield product(someProduct());
      const ids = new Set(Array.from({ length: between(1, 3) }, () => (Math.random() < 0.5 ? pickPopular : pick)(shop.orderable)));
      orders += 1;
      const body = order(
        orders,
        'POST /orders',
        [...ids].map((id) => ({ product_id: id, quantity: between(1, 2) })),
      );
      yield;
      if (Math.random() < 0.1) yield again(orders, body);
      if (Math.random() < 0.5 && lastOrder !== undefined) yield ownOrder();
      if (Math.random() < 0.5) yield product([...ids][0]);
    },
    *lookBack() {
      yield send('GET /orders', 'GET', '/orders?limit=20', [200]);
      if (lastOrder !== undefined) yield ownOrder();
    },
  };
  const kinds = Object.entries(plan.weights).flatMap(([kind, weight]) => Array.from({ length: weight }, () => kind));
  return (function* walk() {
    for (;;) yield* visits[pick(kinds)]();
  })();
};

let user;

/** One request; then, where users pause, the pause before the next. */
// oxlint-disable-next-line import/no-default-export -- k6 calls the default export, once an iteration
export default function next(shop) {
  const [least, most] = plan.thinkMs.map((ms) => ms / 1_000);
  // Users who all began at once would come back at once.
  if (user === undefined && most > 0) sleep(Math.random() * most);
  // The end of the warm-up cuts users off in the middle of a step, which cannot be taken up again.
  if (user?.scenario !== exec.scenario.name) user = { scenario: exec.scenario.name, walk: createUser(shop) };
  user.walk.next();
  if (most > 0) sleep(least + Math.random() * (most - least));
}
