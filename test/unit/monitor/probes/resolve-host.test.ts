import { describe, expect, test } from 'vitest';
import { MonitorFaultError } from '#monitor/probes/probe.ts';
import { createHostResolver, HostNotFoundError } from '#monitor/probes/resolve-host.ts';

const never = new AbortController().signal;
const withCode = (code: string) => Object.assign(new Error('says the other side'), { code });
const ten = (last: number) => ({ address: `10.0.0.${last}`, family: 4 });

describe('a host name', () => {
  test('keeps its last address while name service fails', async () => {
    const answers = [() => Promise.resolve([ten(7)]), () => Promise.reject(withCode('EAI_AGAIN'))];
    const resolve = createHostResolver(() => (answers.shift() ?? (() => Promise.reject(withCode('EAI_AGAIN'))))());
    expect(await resolve('api', never)).toEqual([ten(7)]);
    expect(await resolve('api', never)).toEqual([ten(7)]);
  });

  test('that was never found while name service fails is a fault of the monitor', async () => {
    const resolve = createHostResolver(() => Promise.reject(withCode('EAI_AGAIN')));
    await expect(resolve('api', never)).rejects.toBeInstanceOf(MonitorFaultError);
  });

  test('that alone gets no answer is evidence against the target', async () => {
    const resolve = createHostResolver((host) => (host === 'postgres' ? Promise.resolve([ten(8)]) : Promise.reject(withCode('EAI_AGAIN'))));
    await expect(resolve('api', never)).rejects.toBeInstanceOf(MonitorFaultError);
    await resolve('postgres', never);
    await expect(resolve('api', never)).rejects.toBeInstanceOf(HostNotFoundError);
  });

  test('that does not exist is evidence against the target, as when its container is gone', async () => {
    const resolve = createHostResolver(() => Promise.reject(withCode('ENOTFOUND')));
    await expect(resolve('api', never)).rejects.toBeInstanceOf(HostNotFoundError);
  });

  test('is not waited for beyond a second', async () => {
    const resolve = createHostResolver(() => new Promise(() => {}));
    await expect(resolve('api', never)).rejects.toThrow('name service of this machine does not answer for api');
  });

  test('that is an address already is taken as it is', async () => {
    const resolve = createHostResolver(() => Promise.reject(new Error('not asked')));
    expect(await Promise.all([resolve('127.0.0.1', never), resolve('[::1]', never)])).toEqual([
      [{ address: '127.0.0.1', family: 4 }],
      [{ address: '::1', family: 6 }],
    ]);
  });
});
