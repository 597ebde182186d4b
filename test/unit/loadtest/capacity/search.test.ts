import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nextStep, type Next, type Probed } from '#loadtest/capacity/search.ts';
import { arrivalTimes } from '#loadtest/generate/arrivals.ts';
import { createRandom } from '#loadtest/generate/random.ts';

const step = 1.05;
const bounds = { first: 50, least: 1, most: 2_000, precision: step };

/** Plays a whole search against what would be found at each rate. */
function search(outcomeAt: (rate: number) => Probed['outcome']): { answer: Next; probed: Probed[] } {
  const probed: Probed[] = [];
  for (;;) {
    const answer = nextStep(probed, bounds);
    if (answer.kind !== 'probe') return { answer, probed };
    probed.push({ rate: answer.rate, outcome: outcomeAt(answer.rate) });
  }
}

const votes = (probed: readonly Probed[], rate: number, outcome: Probed['outcome']): number =>
  probed.filter((one) => one.rate === rate && one.outcome === outcome).length;

/** A service that misses with a chance that rises around its capacity, and now and then for no reason at all. */
const noisy = (capacity: number, blunders: number, seed: number) => {
  const random = createRandom(seed, 0);
  return (rate: number): Probed['outcome'] => {
    if (random() < blunders) return random() < 0.5 ? 'kept' : 'missed';
    return random() < 1 / (1 + Math.exp(-Math.log(rate / capacity) / 0.02)) ? 'missed' : 'kept';
  };
};

type Queue = { readonly servers: number; readonly serviceMs: number };

/** What eight seconds of arrivals at random would find of so many servers, each busy for so long with every request. */
const queueing = ({ servers, serviceMs }: Queue, seed: number) => {
  let probes = 0;
  return (rate: number): Probed['outcome'] => {
    const stages = [{ fromPerSecond: rate, toPerSecond: rate, durationMs: 8_000 }];
    const freeAtMs = Array.from({ length: servers }, () => 0);
    const latenciesMs: number[] = [];
    for (const atMs of arrivalTimes({ stages, spacing: 'poisson' }, 2_000, createRandom(seed, (probes += 1)))) {
      const next = freeAtMs.indexOf(Math.min(...freeAtMs));
      const doneMs = Math.max(atMs, freeAtMs[next] ?? 0) + serviceMs;
      freeAtMs[next] = doneMs;
      if (atMs >= 2_000) latenciesMs.push(doneMs - atMs);
    }
    const sorted = latenciesMs.toSorted((a, b) => a - b);
    const percentile = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
    return percentile(0.95) < 200 && percentile(0.99) < 500 ? 'kept' : 'missed';
  };
};

/** From one server to thirty-two, from 200 to 1,600 requests a second. */
const queues: readonly Queue[] = [
  { servers: 1, serviceMs: 5 },
  { servers: 2, serviceMs: 8 },
  { servers: 3, serviceMs: 5 },
  { servers: 4, serviceMs: 20 },
  { servers: 4, serviceMs: 10 },
  { servers: 6, serviceMs: 12 },
  { servers: 8, serviceMs: 20 },
  { servers: 8, serviceMs: 5 },
  { servers: 12, serviceMs: 30 },
  { servers: 16, serviceMs: 40 },
  { servers: 24, serviceMs: 20 },
  { servers: 32, serviceMs: 50 },
];

describe('the search for a capacity', () => {
  test.each(queues)('names that of $servers servers with $serviceMs ms for each request within one step, whatever the seed', (queue) => {
    const capacity = (1_000 * queue.servers) / queue.serviceMs;
    for (let seed = 0; seed < 5; seed += 1) {
      const { answer } = search(queueing(queue, seed));
      expect(answer).toMatchObject({ kind: 'found' });
      const { low, high } = answer as Extract<Next, { kind: 'found' }>;
      expect(high / low).toBeLessThanOrEqual(step);
      expect([low / capacity, high / capacity]).toSatisfy(([least, most]) => least <= step && most >= 1 / step);
    }
  });

  test('without noise ends with the capacity between its two ends, 5 % apart, both confirmed', () => {
    fc.assert(
      fc.property(fc.double({ min: 1.1, max: 1_999, noNaN: true }), (capacity) => {
        const { answer, probed } = search((rate) => (rate <= capacity ? 'kept' : 'missed'));
        expect(answer.kind).toBe('found');
        if (answer.kind !== 'found') return;
        expect(answer.low <= capacity && capacity < answer.high).toBe(true);
        expect(answer.high / answer.low).toBeLessThanOrEqual(1.05);
        expect(votes(probed, answer.low, 'kept')).toBe(3);
        expect(votes(probed, answer.high, 'missed')).toBe(2);
        expect(probed.length).toBeLessThanOrEqual(16);
      }),
    );
  });

  test('with noise ends too, and in 98 of 100 searches within a tenth of the truth', () => {
    const truths = Array.from({ length: 500 }, (_, seed) => 10 * 1.0096 ** seed);
    const right = truths.filter((capacity, seed) => {
      const { answer } = search(noisy(capacity, 0.03, seed));
      return answer.kind === 'found' && answer.low <= 1.1 * capacity && answer.high >= capacity / 1.1;
    });
    expect(right.length / truths.length).toBeGreaterThanOrEqual(0.98);
  });

  test('comes to an end whatever it is told', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const random = createRandom(seed, 0);
        const outcomes = ['kept', 'missed', 'unclear'] as const;
        const { probed } = search(() => outcomes[Math.floor(random() * 3)] ?? 'kept');
        expect(probed.length).toBeLessThanOrEqual(50);
      }),
    );
  });

  test('one miss at a rate that is kept otherwise does not lower the answer', () => {
    let isFirst = true;
    const { answer } = search((rate) => {
      if (rate !== 200 || !isFirst) return rate <= 350 ? 'kept' : 'missed';
      isFirst = false;
      return 'missed';
    });
    expect(answer).toMatchObject({ kind: 'found' });
    expect((answer as { low: number }).low).toBeGreaterThan(330);
  });

  test('a rate that is kept as often as missed counts as missed', () => {
    const outcomes = { 50: ['kept'], 100: ['kept', 'missed'] } as const;
    const probed = Object.entries(outcomes).flatMap(([rate, found]) => found.map((outcome) => ({ rate: Number(rate), outcome })));
    expect(nextStep(probed, bounds)).toEqual({ kind: 'probe', rate: 70.7 });
  });

  test('is over at the fastest rate it may ask for, confirmed', () => {
    const { answer, probed } = search(() => 'kept');
    expect(answer).toEqual({ kind: 'beyond', low: 2_000 });
    expect(votes(probed, 2_000, 'kept')).toBe(3);
  });

  test('goes down to the slowest rate before it says that there is nothing', () => {
    const { answer, probed } = search(() => 'missed');
    expect(answer).toEqual({ kind: 'nothing', high: 1 });
    expect(votes(probed, 1, 'missed')).toBe(2);
  });

  test('refuses where client and machine cannot tell, having asked twice, and says up to where it could', () => {
    const { answer, probed } = search((rate) => (rate < 300 ? 'kept' : 'unclear'));
    expect(answer).toEqual({ kind: 'untold', rate: 400, low: 200 });
    expect(votes(probed, 400, 'unclear')).toBe(2);
    expect(search(() => 'unclear').answer).toEqual({ kind: 'untold', rate: 50, low: undefined });
  });

  test('what could not be told once and could the next time does not stop it', () => {
    let asked = 0;
    const { answer } = search((rate) => {
      asked += 1;
      if (asked === 3) return 'unclear';
      return rate < 300 ? 'kept' : 'missed';
    });
    expect(answer.kind).toBe('found');
  });
});
