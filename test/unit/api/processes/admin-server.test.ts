import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { createAdminServer } from '#api/processes/admin-server.ts';
import { createLogger } from '#lib/logger.ts';

test('the metrics token opens /metrics and nothing else; the admin token opens everything', async () => {
  let drains = 0;
  const server = createAdminServer({
    token: 'the-token-of-operators',
    metricsToken: 'the-token-of-metrics',
    metrics: () => Promise.resolve('some 1'),
    config: () => ({}),
    drain: () => void (drains += 1),
    reopenLogs: () => Promise.resolve({ writers: [], silent: [] }),
    logger: createLogger('test', { LOG_LEVEL: 'silent', LOG_FORMAT: 'json' }),
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const ask = async (method: string, path: string, token: string): Promise<number> =>
    (await fetch(`http://127.0.0.1:${port}${path}`, { method, headers: { authorization: `Bearer ${token}`, connection: 'close' } })).status;
  const all = [
    ['GET', '/metrics'],
    ['GET', '/config'],
    ['POST', '/logs/reopen'],
    ['POST', '/drain'],
  ] as const;
  const statuses = async (token: string): Promise<number[]> => {
    const found: number[] = [];
    for (const [method, path] of all) found.push(await ask(method, path, token));
    return found;
  };
  expect(await statuses('the-token-of-metrics')).toEqual([200, 401, 401, 401]);
  expect(drains).toBe(0);
  expect(await statuses('the-token-of-nobody')).toEqual([401, 401, 401, 401]);
  expect(await statuses('the-token-of-operators')).toEqual([200, 200, 200, 202]);
});
