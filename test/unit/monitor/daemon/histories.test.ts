import { describe, expect, onTestFinished, test } from 'vitest';
import { playMany } from '#test/histories/campaign.ts';
import { slowest99 } from '#test/histories/judge.ts';
import { usual } from '#test/histories/steps.ts';
import { createWorld } from '#test/histories/world.ts';

describe('over random histories of outages, channels, disk, clock, crashes, silences, planned work, reloads and objectives', () => {
  test(
    'nothing is lost, late, out of order, told where it is to be kept back, or told twice without a mark',
    { timeout: 120_000 },
    async () => {
      const { histories, decided, crashes, broken, delays } = await playMany({ from: 1, count: 40 });
      expect(broken).toEqual([]);
      expect(histories).toBe(40);
      // Else nothing was put to the test.
      expect(decided).toBeGreaterThan(200);
      expect(crashes).toBeGreaterThan(20);
      expect(slowest99(delays)).toBeLessThanOrEqual(5_000);
    },
  );
});

test('what is written while no monitor runs comes into force with the next start, and of several only the last', async () => {
  const world = await createWorld();
  onTestFinished(() => world.close());
  world.reset(usual, 1);
  world.crash(1_000);
  const inForce: (readonly string[])[] = [];
  for (const channel of ['email', 'slack'] as const) {
    world.configure({ ...usual, channels: [channel] });
    await world.time.pass(0);
    inForce.push(world.inForce.channels);
  }
  await world.time.pass(2_000);
  expect([...inForce, world.inForce.channels]).toEqual([usual.channels, usual.channels, ['slack']]);
});
