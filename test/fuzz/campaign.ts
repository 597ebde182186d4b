import type { PostgresSettings } from '#lib/settings.ts';
import { call, loadtestKey, operatorKey, startApi, type ApiProcess } from '../support/api-process.ts';
import { createContract, type Contract, type ContractDocument } from '../support/contract.ts';
import { startMailRecorder } from '../support/mail-recorder.ts';
import { rawConnection, type RawConnection } from '../support/raw-http.ts';
import { startRedis } from '../support/redis.ts';
import { createCase, type Callers, type Case } from './create-case.ts';
import { commandOf, faultsOf, type Outcome } from './judge-answer.ts';

export type Finding = { readonly index: number; readonly faults: readonly string[]; readonly command: string };

export type Tally = {
  requests: number;
  /** How many were answered with each status. */
  readonly statuses: Map<number, number>;
  /** Pairs of operation and status that were met. */
  readonly pairs: Set<string>;
  readonly findings: Finding[];
  /** What the document allows and the API refused, by operation and where in it; for people to judge. */
  readonly refused: Map<string, number>;
};

export type CampaignOptions = {
  readonly seed: number;
  readonly from: number;
  readonly requests: number;
  readonly connections: number;
  readonly onProgress?: (tally: Tally) => void;
};

/** A shop to be asked anything: with people, things and orders in it, and limits that let all of it through. */
export type FuzzedShop = {
  readonly api: ApiProcess;
  readonly contract: Contract;
  /** Those of the customers change: who is deleted is followed by another. */
  readonly callers: Callers & { readonly customers: string[] };
  readonly close: () => Promise<void>;
};

/** Starts the API on a migrated database, with Redis and a mail server, and fills the shop through it. */
export async function openFuzzedShop(postgres: PostgresSettings): Promise<FuzzedShop> {
  const [redis, mails] = [await startRedis(), await startMailRecorder()];
  const api = await startApi(postgres, {
    RATE_LIMIT_CALLS: '1000000',
    RATE_LIMIT_LOADTEST_CALLS: '100000000',
    TRUSTED_PROXIES: '127.0.0.1',
    REDIS_HOST: '127.0.0.1',
    REDIS_PORT: String(redis.port),
    MAIL_SMTP_URL: mails.url,
    MAIL_FROM: 'Shop <shop@example.com>',
    MAIL_RESET_URL: 'https://shop.example/new-password',
  });
  const close = async (): Promise<void> => {
    await api.stop();
    await redis.stop();
    await mails.close();
  };
  try {
    await api.ready();
    const contract = createContract((await (await fetch(`${api.url}/openapi.json`)).json()) as ContractDocument);
    return { api, contract, callers: await fill(api), close };
  } catch (err) {
    await close();
    throw err;
  }
}

const asOperator = { 'x-api-key': operatorKey };
const crowd = 12;

/** Somebody who shops, and the header line that proves it. */
async function register(api: ApiProcess, email: string): Promise<{ id: unknown; line: string }> {
  const { status, body } = await call(`${api.url}/clients`, {
    headers: { 'x-api-key': loadtestKey },
    body: { name: 'Ada', lastname: 'Vega', email },
  });
  if (status !== 201) throw new Error(`nobody was registered: ${status} ${JSON.stringify(body)}`);
  return { id: body['id_key'], line: `Authorization: Bearer ${String(body['access_token'])}` };
}

async function fill(api: ApiProcess): Promise<FuzzedShop['callers']> {
  const make = async (path: string, body: object): Promise<Record<string, unknown>> => {
    const answer = await call(`${api.url}${path}`, { headers: asOperator, body });
    if (answer.status !== 201) throw new Error(`POST ${path} was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  };
  const customers: string[] = [];
  for (let at = 1; at <= crowd; at += 1) {
    const { id, line } = await register(api, `fuzz.${at}@example.com`);
    customers.push(line);
    const { id_key: category } = await make('/categories', { name: `category ${at}` });
    const { id_key: product } = await make('/products', { name: `lamp ${at}`, price: at, stock: 900, category_id: category });
    await make('/addresses', { city: 'Granada', client_id: id });
    await make('/reviews', { rating: 4, product_id: product });
    await make('/bills', { payment_type: 1, client_id: id });
    await make('/orders', { client_id: id, delivery_method: 1, lines: [{ product_id: product, quantity: 3 }] });
  }
  const operator = `X-API-Key: ${operatorKey}`;
  return { operator, loadtest: `X-API-Key: ${loadtestKey}`, customers };
}

/** Asks so many requests, over so many connections at once, and judges every answer. */
export async function runCampaign({ api, contract, callers }: FuzzedShop, options: CampaignOptions): Promise<Tally> {
  const { seed, from, requests, connections, onProgress } = options;
  const tally: Tally = { requests: 0, statuses: new Map(), pairs: new Set(), findings: [], refused: new Map() };
  const port = Number(new URL(api.url).port);
  let next = from;
  const play = async (): Promise<void> => {
    const connection = rawConnection(port);
    while (next < from + requests) {
      const index = next;
      next += 1;
      const one = createCase(contract.operations, callers, { seed, index });
      const outcome = await ask(connection, one);
      await replaceIfGone(api, callers.customers, one, outcome);
      note(tally, { one, outcome, index, faults: faultsOf(contract, one, outcome) });
      onProgress?.(tally);
    }
    connection.close();
  };
  await Promise.all(Array.from({ length: connections }, play));
  tally.findings.push(...troublesOf(api));
  return tally;
}

/** So long may an answer take on a busy machine; whoever waits longer is hung. */
const timeoutMs = 15_000;

async function ask(connection: RawConnection, { request, isHead, isFramed }: Case): Promise<Outcome> {
  try {
    if (!isFramed) connection.close();
    const answer = await connection.exchange(request, { isHead, timeoutMs });
    if (!isFramed) connection.close();
    return { answer };
  } catch (err) {
    return { failure: (err as Error).message };
  }
}

async function replaceIfGone(api: ApiProcess, customers: string[], { request }: Case, outcome: Outcome): Promise<void> {
  if (!('answer' in outcome) || outcome.answer.status !== 401) return;
  const at = customers.findIndex((line) => request.includes(line));
  if (at >= 0) customers[at] = (await register(api, `${crypto.randomUUID()}@example.com`)).line;
}

type Played = { readonly one: Case; readonly outcome: Outcome; readonly index: number; readonly faults: readonly string[] };

function note(tally: Tally, { one, outcome, index, faults }: Played): void {
  tally.requests += 1;
  if (faults.length > 0) tally.findings.push({ index, faults: [...new Set(faults)], command: commandOf(one) });
  if (!('answer' in outcome)) return;
  const { status, text } = outcome.answer;
  tally.statuses.set(status, (tally.statuses.get(status) ?? 0) + 1);
  if (one.operation?.statuses.includes(status)) tally.pairs.add(`${one.operation.name} ${status}`);
  if (one.kind !== 'valid' || (status !== 400 && status !== 415 && status !== 422) || !one.operation) return;
  const { code, errors = [] } = JSON.parse(text || '{}') as { code?: string; errors?: { pointer: string; message: string }[] };
  const where = `${one.operation.name} ${status} ${code} ${errors.map(({ pointer, message }) => `${pointer} ${message}`).join(', ')}`;
  tally.refused.set(where, (tally.refused.get(where) ?? 0) + 1);
}

/** What the API itself noticed: an error in its log, or a process of it that ended. */
function troublesOf(api: ApiProcess): Finding[] {
  const lines = api
    .stdout()
    .split('\n')
    .filter((line) => line.includes('"level":"error"') || line.includes('"level":"fatal"'));
  return lines.map((line) => ({ index: -1, faults: [`the log says: ${line.slice(0, 500)}`], command: '' }));
}
