import { describe, expect, test } from 'vitest';
import { nextStep, type Next, type Question } from '#loadtest/size-pool/next-step.ts';
import type { Played } from '#loadtest/size-pool/window.ts';
import { trulyTied, windowsOf, type BackEnd, type Machine, type Visit } from './simulated-back-end.ts';

const sizes = [1, 2, 3, 4, 6, 8, 12, 16, 24];
const question: Question = { sizes, configured: { size: 10, overflow: 10 }, seed: 7 };

const core = (ms: number): Visit => ({ at: 'core', ms });
const away = (ms: number): Visit => ({ at: 'away', ms });
const lock = (ms: number): Visit => ({ at: 'lock', ms });

/** Back ends whose best size is known, from what they are made of and from a long run without noise. */
const known: Readonly<Record<string, BackEnd>> = {
  'a database of 2 cores': { users: 48, cores: 2, visits: () => [core(6)] },
  'a database of 4 cores': { users: 48, cores: 4, visits: () => [core(12)] },
  'a database of 8 cores': { users: 64, cores: 8, visits: () => [core(24)] },
  '2 cores, and a network as slow as a statement': { users: 48, cores: 2, visits: () => [away(3), core(6), away(3)] },
  '2 cores, and a disk that takes three times as long': { users: 48, cores: 2, visits: () => [core(3), away(18), core(3)] },
  'ten statements for every request': {
    users: 48,
    cores: 2,
    visits: () => Array.from({ length: 10 }, () => [away(0.5), core(0.6)]).flat(),
  },
  'one lock that everybody takes': { users: 48, cores: 4, visits: () => [core(4), lock(5)] },
  'a lock that is held for a little': { users: 48, cores: 8, visits: () => [core(15), lock(3)] },
  '4 cores that suffer from more connections': { users: 48, cores: 4, contention: 0.05, visits: () => [core(10)] },
  'waiting elsewhere, and suffering from more connections': {
    users: 48,
    cores: 2,
    contention: 0.02,
    visits: () => [core(5), away(10)],
  },
  'one statement in twenty that is slow': {
    users: 64,
    cores: 4,
    visits: (random) => (random() < 0.05 ? [core(8), away(150)] : [core(8)]),
  },
  'an API that can use a few connections only': { users: 48, api: { cores: 1, ms: 3 }, cores: 8, visits: () => [core(8), away(2)] },
};

const quiet: Machine = { noise: 0.03, drift: 0.002 };

function play(backEnd: BackEnd, machine: Machine, seed: number): { end: Exclude<Next, { kind: 'play' }>; played: readonly Played[] } {
  const measure = windowsOf(backEnd, machine, seed);
  const played: Played[] = [];
  for (;;) {
    const next = nextStep(played, question);
    if (next.kind !== 'play') return { end: next, played };
    played.push({ ...measure(next.setting), stage: next.stage, round: next.round });
  }
}

describe('a back end whose best size is known', () => {
  test.each(Object.entries(known))('%s: the size is named within one step', (name, backEnd) => {
    const [best = 0] = trulyTied(backEnd, sizes);
    const { end } = play(backEnd, quiet, 100 + name.length);
    const named = end.kind === 'answer' ? end.confirmed.setting.size : undefined;
    const near = sizes.slice(Math.max(0, sizes.indexOf(best) - 1), sizes.indexOf(best) + 2);

    expect(near).toContain(named);
  });
});

const untold: readonly [says: string, reason: string, backEnd: BackEnd, machine: Machine][] = [
  ['a machine too noisy to tell', 'too noisy', { users: 48, cores: 4, visits: () => [core(12)] }, { noise: 0.5 }],
  ['a pool that is not what limits', 'flat', { users: 48, api: { cores: 1, ms: 10 }, cores: 4, visits: () => [core(2)] }, quiet],
  ['a client that can do no more', 'client limited', { users: 48, cores: 8, visits: () => [core(12)] }, { ...quiet, clientMost: 300 }],
  [
    'a service that still gains at the most that is tried',
    'edge of the sweep',
    { users: 96, cores: 4, visits: () => [core(2), away(100)] },
    quiet,
  ],
];

test.each(untold)('%s is refused: %s', (_says, reason, backEnd, machine) => {
  const { end } = play(backEnd, machine, 5);
  expect(end).toMatchObject({ kind: 'refusal', reason });
});
