import { messageOf } from '#lib/errors.ts';
import { randomInt } from '#loadtest/generate/random.ts';
import { dayMs, occasionsOf, type Occasion } from './day.ts';
import { createCalmWorld, deployOrder, type CalmWorld, type TargetName } from './world.ts';

export type CalmOptions = {
  /** When it begins: ms of the epoch, at 20:00 UTC. */
  readonly startAt: number;
  /** So many days of it; less than one is its beginning. */
  readonly days: number;
  /** How many times as slow the cadence is: long times are not worth every look. */
  readonly pace: number;
  readonly onDay?: () => void;
};

export type CalmPlayed = {
  readonly seed: number;
  readonly looks: number;
  readonly occasions: number;
  /** What was told, though nothing was wrong. */
  readonly alarms: readonly string[];
};

type Act = { readonly atMs: number; readonly act: () => void };

/** Plays healthy days of a seed; whatever the monitor tells is a false alarm. */
export async function playCalm(seed: number, options: CalmOptions): Promise<CalmPlayed> {
  const { startAt, days, pace, onDay = () => {} } = options;
  const world = createCalmWorld(seed, options);
  try {
    const occasions = occasionsOf(seed, { startAt, days: Math.ceil(days), pace });
    const ends = Array.from({ length: Math.ceil(days) }, (_, day): Act => ({ atMs: Math.min(day + 1, days) * dayMs, act: onDay }));
    const acts = [...occasions.flatMap((occasion) => actsOf(world, occasion, pace)), ...ends].toSorted((a, b) => a.atMs - b.atMs);
    for (const { atMs, act } of acts.filter(({ atMs: dueMs }) => dueMs <= days * dayMs)) {
      await world.time.pass(Math.max(0, atMs - world.time.nowMs()));
      act();
    }
    const alarms = world.decided.map(({ event, probe, detail }) => `${event} ${probe}: ${detail}`);
    if (world.failure !== undefined) alarms.push(messageOf(world.failure));
    return { seed, looks: world.looks, occasions: occasions.length, alarms };
  } finally {
    world.close();
  }
}

function actsOf(world: CalmWorld, { what, fromMs, untilMs }: Occasion, pace: number): Act[] {
  const { busy, failing } = world;
  if (what === 'clock step') return [{ atMs: fromMs, act: world.stepClock }];
  if (what === 'backup' || what === 'load test')
    return [
      { atMs: fromMs, act: () => void busy.add(what) },
      { atMs: untilMs, act: () => void busy.delete(what) },
    ];
  if (what === 'restart of the monitor')
    return [
      { atMs: fromMs, act: world.kill },
      { atMs: untilMs, act: world.start },
    ];
  if (what === 'deploy') return deploy(world, { fromMs, untilMs }, pace);
  const stopped: readonly TargetName[] = ['postgresql', 'api-a', 'api-b', 'site'];
  return [
    { atMs: fromMs, act: () => stopped.forEach((name) => failing.add(name)) },
    { atMs: untilMs, act: () => void failing.delete('postgresql') },
    // They reconnect a little later.
    { atMs: untilMs + 8_000 * pace, act: () => stopped.forEach((name) => failing.delete(name)) },
  ];
}

/** Announced by a silence, which is ended once all serve again: one instance after the other is begun anew, while the other serves. */
function deploy(world: CalmWorld, { fromMs, untilMs }: Pick<Occasion, 'fromMs' | 'untilMs'>, pace: number): Act[] {
  const tenMinutes = 600_000 * pace;
  const restarts = deployOrder(world).flatMap((name, index): Act[] => {
    const downMs = fromMs + (20 + 70 * index) * 1_000 * pace;
    return [
      { atMs: downMs, act: () => void world.failing.add(name) },
      { atMs: downMs + randomInt(world.random, 5, 40) * 1_000 * pace, act: () => void world.failing.delete(name) },
    ];
  });
  const silence = { do: 'silence', targets: ['api-a', 'api-b'], for_ms: tenMinutes, by: 'ann', reason: 'release 42' } as const;
  let announced = 0;
  return [
    {
      atMs: fromMs,
      act: () => {
        world.process.command({ ...silence, targets: [...silence.targets] });
        announced = world.deploys += 1;
      },
    },
    ...restarts,
    { atMs: untilMs, act: () => world.process.command({ do: 'unsilence', name: `s${announced}`, by: 'ann' }) },
  ];
}
