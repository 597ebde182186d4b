import { expect, test } from 'vitest';
import { environmentOf, testedSettings } from '#loadtest/pool/command.ts';
import type { Look } from '#loadtest/pool/recording.ts';
import { openShopPort } from '#loadtest/pool/shop-port.ts';
import { openOwnTarget } from '#loadtest/targets/open-target.ts';
import { cleanEnvironment, compiledOnce } from '#test/support/clean-environment.ts';

/** One connection lent out, as the API says, and one session at work, as the database does. */
const isAtWork = ({ inUse, sessions }: Look): boolean => inUse === 1 && sessions?.filter(({ state }) => state !== 'idle').length === 1;

test('the pools of the shop can be filled by a lock, seen from both sides, left by a client, robbed of sessions, and shut out', async () => {
  const signal = AbortSignal.timeout(150_000);
  const target = await openOwnTarget({ ...cleanEnvironment(), ...compiledOnce, ...environmentOf(testedSettings) }, signal);
  const { port, close } = await openShopPort(target, 4, signal);
  const [lane, other] = [port.lane(), port.lane()];
  const until = async (isSo: () => Promise<boolean>): Promise<void> => {
    while (!(await isSo())) await port.waitUntil(port.now() + 50);
  };
  try {
    const callOff = await port.lock();
    const waiting = lane.send('order');
    await until(async () => isAtWork(await port.look()));
    expect((await port.look()).opened).toBeGreaterThan(1);
    expect(await other.send('quick')).toMatchObject({ status: 200 });
    await callOff();
    expect(await waiting).toMatchObject({ status: 201, holdMs: expect.any(Number), waitMs: expect.any(Number) });

    const refused = [await lane.send('missing'), await lane.send('invalid'), await lane.send('failing'), await lane.send('broken')];
    expect(refused.map(({ status }) => status)).toEqual([404, 422, 404, 500]);
    expect(await lane.send('abandoned')).toMatchObject({ status: null });
    const slow = await lane.send('slow');
    expect(slow).toMatchObject({ status: 201 });
    expect(slow.holdMs).toBeGreaterThanOrEqual(1_000);
    await until(async () => (await port.look()).inUse === 0);
    expect(await port.terminateHalf()).toBeGreaterThan(0);

    const letIn = await port.shut();
    expect(await lane.send('quick')).toMatchObject({ status: 503 });
    await letIn();
    expect(await lane.send('quick')).toMatchObject({ status: 200 });
    await until(async () => (await port.look()).health !== null);
    expect(await port.look()).toMatchObject({ capacity: 8, health: { status: 200, capacity: 4, lent: 0 } });
  } finally {
    await Promise.all([lane.close(), other.close()]);
    await close();
    await target.stop();
  }
}, 180_000);
