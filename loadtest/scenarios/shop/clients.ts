import { ConfigError } from '#lib/errors.ts';
import { problemCode } from './faults.ts';
import { forEachOf, type HttpAnswer, type HttpClient } from '../../targets/http-client.ts';
import { SetUpError } from '../../targets/set-up.ts';

/** A client account made for the run; the token is a secret. */
export type ShopClient = { readonly clientId: number; readonly accessToken: string };

const atOnce = 16;

export type Registration = {
  /** Of them all, once it is over. */
  readonly count: number;
  readonly loadtestKey: string;
  readonly runId: string;
  /** Those made so far, in the order of the users; complete once it resolves. */
  readonly clients: ShopClient[];
};

/**
 * One client account for every virtual user, in the order of the users. Accounts made with a load test key need no
 * password and so cost no hashing.
 * @throws {ConfigError} when the key is not accepted, or is of another role
 * @throws {SetUpError} when the target refuses for another reason
 */
export async function registerClients(http: HttpClient, { count, loadtestKey, runId, clients }: Registration): Promise<void> {
  const first = clients.length;
  const indices = Array.from({ length: count - first }, (_, i) => first + i);
  await forEachOf(indices, atOnce, async (index) => {
    const body = { name: 'Load', lastname: `Test ${index}`, email: `${runId}-${index}@loadtest.invalid` };
    // Sent again after an error, it must not meet the account it has already made.
    const headers = { 'x-api-key': loadtestKey, 'idempotency-key': `${runId}-client-${index}` };
    const answer = await http.send({ method: 'POST', path: '/api/v1/clients', headers, body });
    clients[index] = clientOf(answer, http.origin);
  });
}

function clientOf(answer: HttpAnswer, origin: string): ShopClient {
  if (answer.status === 401 || answer.status === 403)
    throw new ConfigError([`LOADTEST_KEY is not accepted by ${origin} (${answer.status})`]);
  const { id_key: clientId, access_token: accessToken } = (answer.json ?? {}) as { id_key?: unknown; access_token?: unknown };
  if (answer.status === 201 && typeof clientId === 'number' && typeof accessToken === 'string') return { clientId, accessToken };
  if (answer.status === 201 && typeof clientId === 'number')
    throw new ConfigError([
      `LOADTEST_KEY is not of role loadtest at ${origin}; make one with: npm run api-key -- create --role loadtest --name load-test`,
    ]);
  throw new SetUpError(`${origin} made no client for a virtual user: ${answer.status} ${problemCode(answer.text) ?? ''}`.trim());
}

/** What became of the clients' orders. */
export type Undone = {
  readonly canceled: number;
  /** False where some were not canceled, or nobody knows. */
  readonly isWhole: boolean;
};

const pageSize = 1_000;
const [pending, canceled] = [1, 4];

/** Cancels the clients' orders, in their names, which brings back the stock. Never rejects: who hears no answer asks nothing more. */
export async function cancelOrders(http: HttpClient, clients: readonly ShopClient[], runId: string): Promise<Undone> {
  let undone: Undone = { canceled: 0, isWhole: true };
  const note = (more: number, isDone: boolean): void =>
    void (undone = { canceled: undone.canceled + more, isWhole: undone.isWhole && isDone });
  let isLost = false;
  const cancel = async (headers: Readonly<Record<string, string>>, { id_key: id, status }: ListedOrder): Promise<void> => {
    if (status !== pending) return note(0, status === canceled);
    const once = { ...headers, 'idempotency-key': `${runId}-cancel-${id}` };
    const answer = await http.send({ method: 'POST', path: `/api/v1/orders/${id}/cancel`, headers: once });
    note(answer.status === 200 ? 1 : 0, answer.status === 200);
  };
  await forEachOf(clients, atOnce, async ({ accessToken }) => {
    const headers = { authorization: `Bearer ${accessToken}` };
    try {
      for (let skip = 0, isMore = !isLost; isMore; skip += pageSize) {
        const { status, json } = await http.send({ method: 'GET', path: `/api/v1/orders?skip=${skip}&limit=${pageSize}`, headers });
        const orders = status === 200 && Array.isArray(json) ? (json as ListedOrder[]) : undefined;
        if (orders === undefined) note(0, false);
        for (const order of orders ?? []) await cancel(headers, order);
        isMore = orders?.length === pageSize;
      }
    } catch {
      isLost = true;
    }
  });
  return isLost ? { ...undone, isWhole: false } : undone;
}

type ListedOrder = { readonly id_key: number; readonly status: number };

/** Deletes the accounts again. @returns how many could not be deleted. */
export async function removeClients(http: HttpClient, clients: readonly ShopClient[], loadtestKey: string): Promise<number> {
  let left = 0;
  await forEachOf(clients, atOnce, async ({ clientId }) => {
    const request = { method: 'DELETE', path: `/api/v1/clients/${clientId}`, headers: { 'x-api-key': loadtestKey } } as const;
    const isGone = await http.send(request).then(
      ({ status }) => status === 204 || status === 404,
      () => false,
    );
    if (!isGone) left += 1;
  });
  return left;
}
