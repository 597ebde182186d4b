import type { World } from './simulated-rounds.ts';

/** A world and what it is called in the table. */
export type NamedWorld = { readonly says: string; readonly world: Partial<World> };

/** Where B is as fast as A: a FAIL is a false alarm. */
export const equalWorlds: readonly NamedWorld[] = [
  { says: 'a calm machine: 5 % noise in every window', world: {} },
  { says: '10 % noise', world: { noise: 0.1 } },
  { says: 'noise of which the next window keeps half', world: { memory: 0.5 } },
  { says: 'noise of which the next window keeps nine tenths', world: { memory: 0.9 } },
  { says: '10 % noise, nine tenths kept', world: { noise: 0.1, memory: 0.9 } },
  { says: 'every window 2 % slower than the one before', world: { drift: 0.02 } },
  { says: 'every window 6 % slower than the one before', world: { drift: 0.06 } },
  { says: 'every window 15 % slower than the one before', world: { drift: 0.15 } },
  { says: 'the second place 5 % slower', world: { slotBias: 0.05 } },
  { says: 'the second place 10 % slower', world: { slotBias: 0.1 } },
  { says: 'the second of a pair 10 % slower', world: { secondBias: 0.1 } },
  { says: 'one window in ten stands still for a while', world: { stalls: 0.1 } },
  {
    says: 'all of it: 10 % noise with memory, 6 % drift, 10 % slot bias, stalls',
    world: { noise: 0.1, memory: 0.7, drift: 0.06, slotBias: 0.1, stalls: 0.1 },
  },
  { says: 'B better and worse by 5 % for rounds on end, which no order can cancel', world: { lasting: 0.05 } },
];

/** Where B is slower: anything but a FAIL is a miss. */
export const slowerWorlds: readonly NamedWorld[] = [
  { says: '+ 5 %', world: { slower: 0.05 } },
  { says: '+ 10 %', world: { slower: 0.1 } },
  { says: '+ 10 % of the slowest tenth alone', world: { slower: 0.1, onlyTail: true } },
  { says: '+ 10 %, noise of which half is kept', world: { slower: 0.1, memory: 0.5 } },
  { says: '+ 10 %, every window 6 % slower than the one before', world: { slower: 0.1, drift: 0.06 } },
  { says: '+ 10 %, the second place 5 % slower', world: { slower: 0.1, slotBias: 0.05 } },
  { says: '+ 10 %, one window in twenty stands still for a while', world: { slower: 0.1, stalls: 0.05 } },
  { says: '+ 10 %, 10 % noise', world: { slower: 0.1, noise: 0.1 } },
  { says: '+ 20 %, 10 % noise', world: { slower: 0.2, noise: 0.1 } },
];
