import { scheduleOf } from '#loadtest/compare/schedule.ts';
import { createRandom, type Random } from '#loadtest/generate/random.ts';
import { inAll, type Round, type Window, type WindowFigures } from '#loadtest/judge/rounds.ts';

/** A machine and two services whose every figure is known, so that a verdict on them can be called right or wrong. */
export type World = {
  readonly rounds: number;
  /** Answers of a window, over all endpoints. */
  readonly answers: number;
  /** What the machine adds to a window: standard deviation of the logarithm, and how much of it the next window keeps (AR 1). */
  readonly noise: number;
  readonly memory: number;
  /** Each window is by that share slower than the one before. */
  readonly drift: number;
  /** Whatever is in the second place is by that share slower. */
  readonly slotBias: number;
  /** The second of a pair is by that share slower. */
  readonly secondBias: number;
  /** Share of the windows in which the machine stands still for a while: they are slower by 70 % in the middle. */
  readonly stalls: number;
  /** What B alone keeps over many rounds, better or worse: standard deviation of the logarithm; each round keeps 0.7 of it. */
  readonly lasting: number;
  /** B is by that share slower, in all answers or in the slowest tenth of them. */
  readonly slower: number;
  readonly onlyTail: boolean;
};

export const calmWorld: World = {
  rounds: 20,
  answers: 2_000,
  noise: 0.05,
  memory: 0,
  drift: 0,
  slotBias: 0,
  secondBias: 0,
  stalls: 0,
  lasting: 0,
  slower: 0,
  onlyTail: false,
};

/** Endpoints by their share of the answers, their median, and the standard deviation of the logarithm of their latency. */
const endpoints = [
  { name: 'GET /list', share: 0.6, medianMs: 5, spread: 0.4 },
  { name: 'GET /one', share: 0.3, medianMs: 3, spread: 0.4 },
  { name: 'POST /order', share: 0.1, medianMs: 12, spread: 0.5 },
];

/** The rounds that a comparison would see there. Pure: the same seed gives the same rounds. */
export function simulateRounds(world: World, seed: number): Round[] {
  const random = createRandom(seed, 1);
  const turns = scheduleOf(world.rounds, seed);
  let noise = world.noise * normal(random);
  let lasting = world.lasting * normal(random);
  let windows = 0;
  const play = (side: 'a' | 'b', isSecond: boolean, isSwapped: boolean): Window => {
    const isInSecondPlace = (side === 'b') !== isSwapped;
    const stall = random() < world.stalls ? Math.abs(normal(random)) : 0;
    const own = isInSecondPlace ? Math.log1p(world.slotBias) : 0;
    const slowness = noise + stall + own + windows * Math.log1p(world.drift) + (side === 'b' ? lasting : 0);
    windows += 1;
    noise = world.memory * noise + Math.sqrt(1 - world.memory ** 2) * world.noise * normal(random);
    return playWindow(world, Math.exp(slowness) * (isSecond ? 1 + world.secondBias : 1), side, random);
  };
  return turns.map(({ first, isSwapped }) => {
    lasting = 0.7 * lasting + Math.sqrt(1 - 0.7 ** 2) * world.lasting * normal(random);
    const [one, other] = [play(first, false, isSwapped), play(first === 'a' ? 'b' : 'a', true, isSwapped)];
    return { isSwapped, ...(first === 'a' ? { a: one, b: other } : { a: other, b: one }) };
  });
}

function playWindow(world: World, slowness: number, side: 'a' | 'b', random: Random): Window {
  const samples = endpoints.map(({ name, share, medianMs, spread }) => {
    const latencies = Float64Array.from({ length: Math.round(share * world.answers) }, () => {
      const deviate = normal(random);
      const isSlower = side === 'b' && (!world.onlyTail || deviate > tailFrom);
      return slowness * medianMs * Math.exp(spread * deviate) * (isSlower ? 1 + world.slower : 1);
    }).toSorted();
    return { name, latencies };
  });
  const all = Float64Array.from(samples.flatMap(({ latencies }) => [...latencies])).toSorted();
  // Users who think send nearly as much whatever they are answered.
  const perSecond = world.answers * Math.exp(0.01 * normal(random));
  return {
    [inAll]: figuresOf(all, perSecond),
    ...Object.fromEntries(samples.map(({ name, latencies }) => [name, figuresOf(latencies, null)])),
  };
}

/** The slowest tenth of a normal distribution begins there. */
const tailFrom = 1.2816;

function figuresOf(sorted: Float64Array, perSecond: number | null): WindowFigures {
  const at = (share: number): number | null => sorted[Math.ceil(share * sorted.length) - 1] ?? null;
  return { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99), perSecond, answers: sorted.length, errors: 0, settled: sorted.length };
}

/** Box and Muller. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
