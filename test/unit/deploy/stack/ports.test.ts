import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { checkPorts, wantedPorts } from '#deploy/local/stack/ports.ts';
import { readLocalSettings } from '#deploy/local/settings.ts';
import { ConfigError } from '#lib/errors.ts';
import { freePort } from '#test/support/free-port.ts';

async function listener(host: string): Promise<{ port: number; server: Server }> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return { port: (server.address() as AddressInfo).port, server };
}

const host = '127.0.0.1';
const wanted = (portVariable: string, port: number) => ({ portVariable, hostVariable: 'API_HOST', host, port });

describe('checkPorts', () => {
  test('agrees to free ports and leaves them free', async () => {
    const ports = [wanted('API_PORT', await freePort())];
    await checkPorts(ports, 0);
    await expect(checkPorts(ports, 0)).resolves.toBeUndefined();
  });

  test.each(['127.0.0.1', '0.0.0.0'])('names every port in use, and the variable that sets it, when %s is listened on', async (address) => {
    const [api, admin] = [await listener(address), await listener(address)];
    const check = checkPorts([wanted('API_PORT', api.port), wanted('MONITOR_PORT', await freePort()), wanted('ADMIN_PORT', admin.port)], 0);
    await expect(check).rejects.toThrow(
      new ConfigError([
        `API_PORT=${api.port}: port ${api.port} on 127.0.0.1 is in use; stop what listens there or set API_PORT to a free port`,
        `ADMIN_PORT=${admin.port}: port ${admin.port} on 127.0.0.1 is in use; stop what listens there or set ADMIN_PORT to a free port`,
      ]),
    );
  });

  test('refuses one port for two programs', async () => {
    const port = await freePort();
    const check = checkPorts([wanted('API_PORT', port), wanted('ADMIN_PORT', port)], 0);
    await expect(check).rejects.toThrow(`ADMIN_PORT=${port}: API_PORT names the same port; set one of them to another`);
  });

  test('says so when the address is not one of this machine', async () => {
    const check = checkPorts([{ ...wanted('API_PORT', 8000), host: '192.0.2.1' }], 0);
    await expect(check).rejects.toThrow('API_HOST=192.0.2.1: this machine has no such address');
  });

  test('waits for a port that is given up meanwhile', async () => {
    const { port, server } = await listener(host);
    const check = checkPorts([wanted('API_PORT', port)], 10_000);
    setTimeout(() => server.close(), 50);
    await expect(check).resolves.toBeUndefined();
  });
});

const names = (env: Record<string, string>): string[] => wantedPorts(readLocalSettings(env)).map((one) => one.portVariable);

test('a stack wants ports for what it runs, and no others', () => {
  expect(names({})).toEqual(['API_PORT', 'ADMIN_PORT', 'MONITOR_PORT', 'LOCAL_POSTGRES_PORT']);
  expect(names({ MONITOR_ENABLED: 'false', POSTGRES_HOST: 'db' })).toEqual(['API_PORT', 'ADMIN_PORT']);
});
