import { createRandom, pick, randomInt, type Random } from '#loadtest/generate/random.ts';

export const targetNames = ['db', 'api', 'web', 'availability'] as const;
export type TargetName = (typeof targetNames)[number];
export const channelNames = ['slack', 'email'] as const;
export type ChannelName = (typeof channelNames)[number];

/** How a target is. Of `availability`, which counts answers, `down` says that nine of ten are bad. */
export type TargetState = 'up' | 'down' | 'hangs' | 'slow' | 'degraded' | 'faulty';

/**
 * What a channel does with a message. `gone`: nothing listens. `failing`: 500. `busy`: 429 with Retry-After. `refuse`: this message
 * is refused. `broken`: only people can mend it. `slow` takes three seconds, `swallow` takes it in and never answers; `die` and
 * `die-after` end the monitor before and after it was taken in.
 */
export type ChannelState = 'accept' | 'gone' | 'failing' | 'busy' | 'refuse' | 'broken' | 'slow' | 'swallow' | 'die' | 'die-after';

export type Step =
  | { readonly do: 'target'; readonly target: TargetName; readonly state: TargetState }
  | { readonly do: 'flap'; readonly target: 'db' | 'web'; readonly turns: number }
  | { readonly do: 'channel'; readonly channel: ChannelName; readonly state: ChannelState }
  | { readonly do: 'disk'; readonly isFull: boolean }
  | { readonly do: 'clock'; readonly byMs: number }
  | { readonly do: 'crash'; readonly forMs: number }
  | { readonly do: 'silence'; readonly targets: readonly TargetName[] | null; readonly forMs: number }
  | { readonly do: 'unsilence' }
  | { readonly do: 'ack'; readonly target: TargetName }
  | { readonly do: 'configure'; readonly settings: Configured }
  | { readonly do: 'misconfigure' }
  | { readonly do: 'pass'; readonly ms: number };

/** What the settings say that a history changes. */
export type Configured = {
  readonly channels: readonly ChannelName[];
  readonly isWebWatched: boolean;
  /** Planned work that begins with the next minute, and of which targets. */
  readonly maintenance: { readonly forMinutes: number; readonly targets: readonly TargetName[] | undefined } | undefined;
};

/** So many turns within two minutes are a target that comes and goes. */
export const flapTurns = 3;

export const usual: Configured = { channels: channelNames, isWebWatched: true, maintenance: undefined };

const minuteMs = 60_000;
const someTargets = (random: Random): readonly TargetName[] => pick(random, [['web'], ['api', 'web'], ['db', 'api'], ['availability']]);

/** How a step is drawn, and how often beside the others. */
const kinds: readonly (readonly [weight: number, (random: Random) => Step])[] = [
  [
    7,
    (random) => ({
      do: 'target',
      target: pick(random, ['db', 'api', 'api', 'web', 'web', 'availability']),
      state: pick(random, ['up', 'up', 'down', 'down', 'down', 'hangs', 'slow', 'degraded', 'faulty']),
    }),
  ],
  [1, (random) => ({ do: 'flap', target: pick(random, ['db', 'web']), turns: randomInt(random, 3, 6) })],
  [
    5,
    (random) => ({
      do: 'channel',
      channel: pick(random, channelNames),
      state: pick(random, [
        'accept',
        'accept',
        'gone',
        'gone',
        'failing',
        'busy',
        'refuse',
        'broken',
        'slow',
        'swallow',
        'die',
        'die-after',
      ]),
    }),
  ],
  [2, (random) => ({ do: 'disk', isFull: random() < 0.5 })],
  [1, (random) => ({ do: 'clock', byMs: pick(random, [-3_600_000, -400_000, 90_000, 7_200_000]) })],
  [2, (random) => ({ do: 'crash', forMs: pick(random, [0, 1_000, 30_000]) })],
  [
    2,
    (random) => ({
      do: 'silence',
      targets: random() < 0.3 ? null : someTargets(random),
      forMs: randomInt(random, 1, 6) * minuteMs,
    }),
  ],
  [1, () => ({ do: 'unsilence' })],
  [2, (random) => ({ do: 'ack', target: pick(random, targetNames) })],
  [2, (random) => ({ do: 'configure', settings: configured(random) })],
  [1, () => ({ do: 'misconfigure' })],
  [9, (random) => ({ do: 'pass', ms: pick(random, [500, 7_000, 30_000, 60_000, 130_000, 150_000, 400_000]) })],
];

function configured(random: Random): Configured {
  const hasMaintenance = random() < 0.4;
  return {
    channels: pick(random, [channelNames, channelNames, ['slack'], ['email'], []]),
    isWebWatched: random() < 0.8,
    maintenance: hasMaintenance
      ? { forMinutes: randomInt(random, 1, 5), targets: random() < 0.3 ? undefined : someTargets(random) }
      : undefined,
  };
}

export type History = { readonly begins: Configured; readonly steps: readonly Step[] };

/** The history of a seed: the same for ever. */
export function historyOf(seed: number): History {
  const random = createRandom(seed, 0);
  const whole = kinds.reduce((sum, [weight]) => sum + weight, 0);
  const draw = (): Step => {
    let left = random() * whole;
    const [, make] = kinds.find(([weight]) => (left -= weight) < 0) ?? kinds[0]!;
    return make(random);
  };
  const begins = random() < 0.7 ? usual : configured(random);
  return { begins, steps: Array.from({ length: randomInt(random, 8, 30) }, draw) };
}
