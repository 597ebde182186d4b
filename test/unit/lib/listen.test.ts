import { createServer, type AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { assertFree, listen, localOrigin } from '#lib/listen.ts';

const names = { portVariable: 'API_PORT', hostVariable: 'API_HOST' };

async function listening(host = '127.0.0.1'): Promise<number> {
  const server = createServer();
  onTestFinished(() => void server.close());
  await listen(server, { host, port: 0, ...names });
  return (server.address() as AddressInfo).port;
}

describe('listening', () => {
  test.each(['127.0.0.1', '0.0.0.0'])('names port and variable when the port on %s is in use', async (host) => {
    const port = await listening(host);
    const line = `API_PORT=${port}: port ${port} on ${host} is in use; stop what listens there or set API_PORT to a free port`;
    await expect(listen(createServer(), { host, port, ...names })).rejects.toMatchObject({ code: 'CONFIG_INVALID', problems: [line] });
    await expect(assertFree({ host, port, ...names })).rejects.toMatchObject({ problems: [line] });
  });

  test.each(['192.0.2.1', 'no-such-host.invalid'])('names the variable of the host when this machine is not %s', async (host) => {
    await expect(listen(createServer(), { host, port: 0, ...names })).rejects.toMatchObject({
      problems: [`API_HOST=${host}: this machine has no such address`],
    });
  });

  test('leaves a free port free after looking', async () => {
    const server = createServer();
    await listen(server, { host: '127.0.0.1', port: 0, ...names });
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    await assertFree({ host: '127.0.0.1', port, ...names });
    await expect(assertFree({ host: '127.0.0.1', port, ...names })).resolves.toBeUndefined();
  });

  test.runIf(process.platform === 'linux')('lets several share a port only where each says so', async () => {
    const [first, second] = [createServer(), createServer()];
    onTestFinished(() => void [first, second].map((server) => server.close()));
    await listen(first, { host: '127.0.0.1', port: 0, ...names }, { isShared: true });
    const { port } = first.address() as AddressInfo;
    await listen(second, { host: '127.0.0.1', port, ...names }, { isShared: true });
    await expect(assertFree({ host: '127.0.0.1', port, ...names })).rejects.toThrow('is in use');
  });
});

test.each([
  ['0.0.0.0', 'http://127.0.0.1:8000'],
  ['::', 'http://[::1]:8000'],
  ['fd00::5', 'http://[fd00::5]:8000'],
  ['api.internal', 'http://api.internal:8000'],
])('what listens on %s is reached at %s', (host, origin) => {
  expect(localOrigin(host, 8000)).toBe(origin);
});
