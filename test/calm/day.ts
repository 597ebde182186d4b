import { createRandom, randomInt, type Random } from '#loadtest/generate/random.ts';

/** What goes on in a healthy system and looks like trouble to whoever does not know of it. Ms since the begin. */
export type Occasion = {
  readonly what: 'backup' | 'load test' | 'deploy' | 'planned work' | 'clock step' | 'restart of the monitor';
  readonly fromMs: number;
  readonly untilMs: number;
};

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
export const dayMs = 24 * hourMs;

/** Whose nights the planned work lies in, when it begins by its clocks, and how long it lasts. */
export const planned = { timeZone: 'Europe/Madrid', hour: 2, minute: 30, forMs: hourMs } as const;

/**
 * The occasions of some days, in order: each day a backup, two load tests, two deploys, planned work at night, steps of the clock as NTP
 * makes them, and a restart of the monitor. The same for a seed for ever. Pure.
 * @param pace how many times as slow everything is that the monitor measures by its cadence
 */
export function occasionsOf(
  seed: number,
  { startAt, days, pace }: { readonly startAt: number; readonly days: number; readonly pace: number },
): Occasion[] {
  const random = createRandom(seed, 0);
  const all: Occasion[] = [];
  for (let day = 0; day < days; day += 1) {
    const add = (what: Occasion['what'], hour: number, shortestMs: number, longestMs: number): void => {
      const fromMs = day * dayMs + hour * hourMs + randomInt(random, 0, 50) * minuteMs;
      all.push({ what, fromMs, untilMs: fromMs + randomInt(random, shortestMs, longestMs) * pace });
    };
    // Hours after the begin, in the evening by UTC; those of the night stay free for the planned work.
    add('load test', 0, 5 * minuteMs, 20 * minuteMs);
    add('deploy', 2, 3 * minuteMs, 3 * minuteMs);
    add('backup', 9, minuteMs, 4 * minuteMs);
    add('load test', 12, 5 * minuteMs, 20 * minuteMs);
    add('restart of the monitor', 15, 2 * secondMs, 20 * secondMs);
    add('deploy', 17, 3 * minuteMs, 3 * minuteMs);
    for (let step = 0; step < 6; step += 1) add('clock step', 4 * step, 0, 0);
    all.push(workOf(random, startAt + day * dayMs, { startAt, pace }));
  }
  return all.toSorted((a, b) => a.fromMs - b.fromMs);
}

/** The database is down for a while in the first part of the window that begins within 24 hours. */
function workOf(random: Random, at: number, { startAt, pace }: { readonly startAt: number; readonly pace: number }): Occasion {
  const fromMs = windowAfter(at) - startAt + randomInt(random, 1, 5) * minuteMs;
  return { what: 'planned work', fromMs, untilMs: fromMs + randomInt(random, 60, 120) * secondMs * pace };
}

const clocks = new Intl.DateTimeFormat('en-GB', { timeZone: planned.timeZone, hour: '2-digit', minute: '2-digit' });

/**
 * The first moment within 24 hours at which the clocks there show the time; on the night when they never do, an hour later by them.
 * Found minute by minute, since it is what the monitor reckons otherwise. Pure.
 */
export function windowAfter(at: number): number {
  const minutes = Array.from({ length: 26 * 60 }, (_, index) => Math.ceil(at / minuteMs + index) * minuteMs);
  const shows = (hour: number): number | undefined => minutes.find((moment) => clocks.format(moment) === `0${hour}:${planned.minute}`);
  return shows(planned.hour) ?? shows(planned.hour + 1) ?? Number.NaN;
}
