import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { checkPorts } from '#deploy/local/ports.ts';
import { ConfigError } from '#lib/errors.ts';
import { freePort } from '#test/support/free-port.ts';

async function listener(host: string): Promise<{ port: number; server: Server }> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, server };
}

const host = '127.0.0.1';

describe('checkPorts', () => {
  test('agrees to free ports and leaves them free', async () => {
    const wanted = [{ variable: 'API_PORT', host, port: await freePort() }];
    await checkPorts(wanted, 0);
    await expect(checkPorts(wanted, 0)).resolves.toBeUndefined();
  });

  test.each(['127.0.0.1', '0.0.0.0'])('names every port in use, and the variable that sets it, when %s is listened on', async (address) => {
    const [api, admin] = [await listener(address), await listener(address)];
    const check = checkPorts(
      [
        { variable: 'API_PORT', host, port: api.port },
        { variable: 'MONITOR_PORT', host, port: await freePort() },
        { variable: 'ADMIN_PORT', host, port: admin.port },
      ],
      0,
    );
    await expect(check).rejects.toThrow(
      new ConfigError([
        `API_PORT=${api.port}: port ${api.port} of 127.0.0.1 is in use; stop what listens there or set API_PORT to a free port`,
        `ADMIN_PORT=${admin.port}: port ${admin.port} of 127.0.0.1 is in use; stop what listens there or set ADMIN_PORT to a free port`,
      ]),
    );
  });

  test('refuses one port for two programs', async () => {
    const port = await freePort();
    const check = checkPorts(
      [
        { variable: 'API_PORT', host, port },
        { variable: 'ADMIN_PORT', host, port },
      ],
      0,
    );
    await expect(check).rejects.toThrow(`ADMIN_PORT=${port}: API_PORT names the same port; set one of them to another`);
  });

  test('says so when the address is not one of this machine', async () => {
    const check = checkPorts([{ variable: 'API_PORT', host: '192.0.2.1', port: 8000 }], 0);
    await expect(check).rejects.toThrow('API_PORT=8000: cannot listen on 192.0.2.1:8000 (EADDRNOTAVAIL)');
  });

  test('waits for a port that is given up meanwhile', async () => {
    const { port, server } = await listener(host);
    const check = checkPorts([{ variable: 'API_PORT', host, port }], 10_000);
    setTimeout(() => server.close(), 50);
    await expect(check).resolves.toBeUndefined();
  });
});
