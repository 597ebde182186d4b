import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openApiDocument } from '#api/openapi/openapi-document.ts';
import { createRoutes, type ApiServices } from '#api/shop/routes.ts';
import { createContract, type ContractDocument, type Operation } from '#test/support/contract.ts';
import { rawConnection, requestText, type RawAnswer } from '#test/support/raw-http.ts';
import { conflicting, done, missing, nobodysId, type Ask, type Asks } from './requests.ts';
import { anonymousLimit, openShopUnderContract, registration, type Headers, type Sent, type Shop } from './shop-under-contract.ts';

const { operations } = createContract(openApiDocument(createRoutes({} as ApiServices)) as unknown as ContractDocument);
const answering = (status: number): Operation[] => operations.filter(({ statuses }) => statuses.includes(status));

let shop: Awaited<ReturnType<typeof openShopUnderContract>>;
let unfinished: Promise<readonly Played[]>;
beforeAll(async () => {
  shop = await openShopUnderContract();
  // The server waits for the rest of a request for as long as all other tests here take.
  unfinished = Promise.all(
    answering(408).map(async (operation) => ({ operation, answer: await shop.sendRaw(`${lineOf(operation)}Host: a\r\n`) })),
  );
});
afterAll(() => shop.end());

type Played = { readonly operation: Operation; readonly answer: RawAnswer };
type Play = (operation: Operation) => Promise<RawAnswer>;

const lineOf = ({ method, path }: Operation): string => `${method} ${path.replace('{id}', '1')} HTTP/1.1\r\n`;
const askFor = (asks: Asks, { name }: Operation): ((shop: Shop) => Promise<Ask>) | undefined => asks[name.replace(/^PATCH/, 'PUT')];

function askOf(operation: Operation): Promise<Ask> {
  const ask = askFor(done, operation);
  if (!ask) throw new Error(`no request for ${operation.name}: name one in requests.ts`);
  return ask(shop);
}

/** One that was made before, for what comes of no request. */
const remembered = new Map<string, Promise<Ask>>();
function sameAskOf(operation: Operation): Promise<Ask> {
  let ask = remembered.get(operation.name);
  if (!ask) remembered.set(operation.name, (ask = askOf(operation)));
  return ask;
}

/** Any state of a thing will do, where the API demands to be told which. */
function sentFor({ method, path, spec }: Operation, { as, id, query, body }: Ask, headers: Headers = {}): Sent {
  const search = query === undefined ? '' : `?${new URLSearchParams(query).toString()}`;
  const takesIfMatch = spec.parameters.some(({ name }) => name === 'If-Match');
  return {
    method,
    target: path.replace('{id}', String(id)) + search,
    headers: { ...as, ...(takesIfMatch && { 'if-match': '*' }), ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
  };
}

const play = async (operation: Operation, ask: Ask, headers?: Headers): Promise<RawAnswer> => shop.send(sentFor(operation, ask, headers));

/** One after the other: a busy machine refuses logins that come at the same time. */
async function playAll(played: readonly Operation[], each: Play): Promise<readonly Played[]> {
  const answers: Played[] = [];
  for (const operation of played) answers.push({ operation, answer: await each(operation) });
  return answers;
}

/** The status of each answer, or what in it is not as documented, by the name of the operation. */
const outcomes = (played: readonly Played[]): Record<string, unknown> =>
  Object.fromEntries(
    played.map(({ operation, answer }) => {
      const faults = shop.contract.answerFaults(operation, answer);
      return [operation.name, faults.length === 0 ? answer.status : faults];
    }),
  );
const all = (status: number): Record<string, unknown> => Object.fromEntries(answering(status).map(({ name }) => [name, status]));

const isWrite = ({ method }: Operation): boolean => method !== 'GET';
const hasBody = ({ spec }: Operation): boolean => spec.requestBody !== undefined;
const isOnce = ({ spec }: Operation): boolean => spec.parameters.some(({ name }) => name === 'Idempotency-Key');

const success: Play = async (operation) => {
  const ask = await askOf(operation);
  const params = ask.id === undefined ? {} : { id: ask.id };
  const query = Object.fromEntries(Object.entries(ask.query ?? {}).map(([name, text]) => [name, valueOf(text)]));
  const faults = shop.contract.requestFaults(operation, { params, query, body: ask.body });
  if (faults.length > 0) throw new Error(`${operation.name} does what the document does not allow: ${faults.join('; ')}`);
  return play(operation, ask);
};

const valueOf = (text: string): unknown => (/^(?:[\d.]+|true|false)$/.test(text) ? JSON.parse(text) : text);

/** What any operation may be asked wrongly, by the status that it then has. */
const wrong: Readonly<Record<number, Play>> = {
  400: async (operation) => {
    if (!hasBody(operation)) return shop.sendRaw(`${lineOf(operation)}Host: a\r\nno colon\r\n\r\n`);
    return shop.send({ ...sentFor(operation, await sameAskOf(operation)), body: '{"half":' });
  },
  401: async (operation) => play(operation, { ...(await sameAskOf(operation)), as: { authorization: 'Bearer nonsense' } }),
  403: async (operation) => play(operation, { ...(await sameAskOf(operation)), as: isWrite(operation) ? shop.readOnly : shop.loadtest }),
  412: async (operation) => play(operation, await sameAskOf(operation), { 'if-match': '"nonsense"' }),
  413: async (operation) => play(operation, { ...(await sameAskOf(operation)), body: 'x'.repeat(300_000) }),
  415: async (operation) => play(operation, { body: {}, ...(await sameAskOf(operation)) }, { 'content-type': 'text/plain' }),
  417: async (operation) => play(operation, await sameAskOf(operation), { expect: 'a-miracle' }),
  422: async (operation) => play(operation, { ...(await sameAskOf(operation)), query: { nonsense: '1' } }),
  431: (operation) => shop.sendRaw(`${lineOf(operation)}Host: a\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`),
};

describe('each status that an operation is documented to answer with', { timeout: 120_000 }, () => {
  test.for([200, 201, 204])('%i is what it answers to a request that the document allows', async (status) => {
    expect(outcomes(await playAll(answering(status), success))).toEqual(all(status));
  });

  test('304 is what it answers to whoever has it already', async () => {
    expect(
      outcomes(await playAll(answering(304), async (operation) => play(operation, await sameAskOf(operation), { 'if-none-match': '*' }))),
    ).toEqual(all(304));
  });

  test.for(Object.keys(wrong).map(Number))('%i is what it answers to a request that is wrong in this way', async (status) => {
    expect(outcomes(await playAll(answering(status), wrong[status] as Play))).toEqual(all(status));
  });

  test('404 is what it answers about what does not exist', async () => {
    const played = await playAll(answering(404), async (operation) => {
      if (operation.path.includes('{id}')) return play(operation, { ...(await sameAskOf(operation)), id: nobodysId });
      const ask = await askFor(missing, operation)?.(shop);
      if (!ask) throw new Error(`no request about nothing for ${operation.name}: name one in requests.ts`);
      return play(operation, ask);
    });
    expect(outcomes(played)).toEqual(all(404));
  });

  test('409 is what it answers where the state of things is against it, or the same request is still being worked on', async () => {
    const key = randomUUID();
    const once = answering(409).filter((operation) => !askFor(conflicting, operation));
    expect(once.filter((operation) => !isOnce(operation))).toEqual([]);
    const asks = new Map<string, Ask>();
    for (const operation of once) asks.set(operation.name, await askOf(operation));
    // Whoever asks, somebody else has the key, and has not finished.
    await shop.sql('BEGIN');
    await shop.sql(
      `INSERT INTO idempotency_keys (principal, key, fingerprint)
       SELECT principal, $1, '' FROM (SELECT 'key:' || id FROM api_keys UNION ALL SELECT 'client:' || id_key FROM clients) AS every (principal)`,
      [key],
    );
    // Together: each waits as long as a duplicate may.
    const headers = { 'idempotency-key': key };
    const busy = await Promise.all(
      once.map(async (operation) => ({ operation, answer: await play(operation, asks.get(operation.name) as Ask, headers) })),
    );
    await shop.sql('ROLLBACK');
    const refused = await playAll(
      answering(409).filter((operation) => askFor(conflicting, operation)),
      async (operation) => play(operation, await (askFor(conflicting, operation) as (shop: Shop) => Promise<Ask>)(shop)),
    );
    expect(outcomes([...busy, ...refused])).toEqual(all(409));
  });

  test('410 is what it answers to the key of what has been deleted since', async () => {
    const played = await playAll(answering(410), async (operation) => {
      const owner = await shop.customer();
      const ask =
        operation.path === '/clients' ? { as: shop.loadtest, body: registration() } : { as: shop.operator, body: { client_id: owner.id } };
      const headers = { 'idempotency-key': randomUUID() };
      const made = JSON.parse((await play(operation, ask, headers)).text) as { id_key: number };
      const target = `/clients/${operation.path === '/clients' ? made.id_key : owner.id}`;
      await shop.send({ method: 'DELETE', target, headers: { ...shop.operator, 'if-match': '*' } });
      return play(operation, ask, headers);
    });
    expect(outcomes(played)).toEqual(all(410));
  });

  test('428 is what it answers to a change that does not say of which version', async () => {
    const played = await playAll(answering(428), async (operation) => {
      const { headers: { 'if-match': _any, ...headers } = {}, ...sent } = sentFor(operation, await sameAskOf(operation));
      return shop.send({ ...sent, headers });
    });
    expect(outcomes(played)).toEqual(all(428));
  });

  test('429 is what it answers to whoever has asked too often', async () => {
    const address = '192.0.2.7';
    for (let left = anonymousLimit; left > 0; left -= 1) await shop.send({ method: 'GET', target: '/nothing' }, address);
    expect(outcomes(await playAll(answering(429), (operation) => shop.send(sentFor(operation, { as: {}, id: 1 }), address)))).toEqual(
      all(429),
    );
  });

  test('another than these is never what it answers, however it is asked wrongly', async () => {
    const strange: string[] = [];
    for (const each of Object.values(wrong)) {
      for (const { operation, answer } of await playAll(operations, each)) {
        strange.push(...shop.contract.answerFaults(operation, answer).map((fault) => `${operation.name}: ${fault}`));
      }
    }
    expect(strange).toEqual([]);
  });

  test('501 is what it answers where the shop has not set up what it needs', async () => {
    const other = await shop.startWithoutMail();
    try {
      const port = Number(new URL(other.url).port);
      const played = await playAll(answering(501), async (operation) => {
        const connection = rawConnection(port);
        return connection.exchange(requestText(sentFor(operation, await sameAskOf(operation)))).finally(() => connection.close());
      });
      expect(outcomes(played)).toEqual(all(501));
    } finally {
      await other.stop();
    }
  });

  test('504 is what it answers when the connection to the database breaks while it commits', async () => {
    const played: Played[] = [];
    for (const operation of answering(504)) {
      const ask = await sameAskOf(operation);
      const cut = shop.door.cutAt('COMMIT\0', 'before');
      played.push({ operation, answer: await play(operation, ask) });
      await cut;
    }
    expect(outcomes(played)).toEqual(all(504));
  });

  test('408 is what it answers to a request that does not arrive', async () => {
    expect(outcomes(await unfinished)).toEqual(all(408));
  });

  test('500 is what it answers when the database refuses what it does, and 503 when there is no database', async () => {
    const asks = new Map<string, Ask>();
    for (const operation of operations) asks.set(operation.name, await sameAskOf(operation));
    const each: Play = async (operation) => play(operation, asks.get(operation.name) as Ask);
    await shop.sql(`REVOKE ALL ON ALL TABLES IN SCHEMA public FROM ${shop.role}`);
    expect(outcomes(await playAll(answering(500), each))).toEqual(all(500));
    await shop.sql(`ALTER ROLE ${shop.role} NOLOGIN`);
    await shop.sql('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1', [shop.role]);
    expect(outcomes(await playAll(answering(503), each))).toEqual(all(503));
  });

  test('is played here', () => {
    const played = [200, 201, 204, 304, ...Object.keys(wrong).map(Number), 404, 408, 409, 410, 428, 429, 500, 501, 503, 504];
    expect(
      operations.flatMap(({ name, statuses }) =>
        statuses.filter((status) => !played.includes(status)).map((status) => `${name} ${status}`),
      ),
    ).toEqual([]);
  });
});
