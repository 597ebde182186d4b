import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { runCommand } from '#lib/run-command.ts';

const script = new URL('closing-listener.ts', import.meta.url).pathname;
const inNetwork = (setting: 0 | 1, command: string) =>
  `ip link set lo up && echo ${setting} > /proc/sys/net/ipv4/tcp_migrate_req && ${command}`;
/** A network of its own takes root; the setting, Linux 5.14. */
const canMakeNetwork = spawnSync('unshare', ['-n', 'sh', '-c', inNetwork(1, 'true')], { stdio: 'ignore' }).status === 0;

async function closeListeners(setting: 0 | 1): Promise<{ answered: number; lost: number }> {
  const args = ['-n', 'sh', '-c', inNetwork(setting, `exec ${process.execPath} ${script}`)];
  const { stdout } = await runCommand({ file: 'unshare', args }, { timeoutMs: 60_000 });
  return JSON.parse(stdout) as { answered: number; lost: number };
}

describe.skipIf(!canMakeNetwork)('connections that wait to be accepted by a worker that closes its socket', { timeout: 90_000 }, () => {
  test('are taken over by the others where net.ipv4.tcp_migrate_req is 1', async () => {
    const { answered, lost } = await closeListeners(1);
    expect(lost).toBe(0);
    expect(answered).toBeGreaterThan(100);
  });

  test('the control: are lost where it is 0, so the test above can fail', async () => {
    expect((await closeListeners(0)).lost).toBeGreaterThan(0);
  });
});
