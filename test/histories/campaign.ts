import { showCount } from '#lib/show.ts';
import { markdownTable } from '#test/support/markdown-table.ts';
import { rules, type Delay, type Rule } from './judge.ts';
import { play, type Played } from './play.ts';
import { createWorld } from './world.ts';

/** Many histories added up. */
export type Sum = {
  readonly histories: number;
  readonly decided: number;
  readonly arrived: number;
  readonly repeated: number;
  readonly crashes: number;
  readonly delays: readonly Delay[];
  /** The first of each history that broke a rule. */
  readonly broken: readonly { readonly seed: number; readonly rule: Rule; readonly what: string }[];
};

/**
 * Plays the histories of so many seeds, one after the other.
 * @param mostBroken after so many broken ones it stops
 */
export async function playMany(
  seeds: { readonly from: number; readonly count: number },
  { onPlayed = () => {}, mostBroken = Infinity }: { readonly onPlayed?: (played: Played) => void; readonly mostBroken?: number } = {},
): Promise<Sum> {
  const world = await createWorld();
  let sum: Sum = { histories: 0, decided: 0, arrived: 0, repeated: 0, crashes: 0, delays: [], broken: [] };
  const delays: Delay[] = [];
  try {
    for (let seed = seeds.from; seed < seeds.from + seeds.count && sum.broken.length < mostBroken; seed += 1) {
      const played = await play(world, seed);
      delays.push(...played.delays);
      sum = add(sum, played);
      onPlayed(played);
    }
  } finally {
    world.close();
  }
  return { ...sum, delays };
}

const add = (sum: Sum, { seed, violations: [first], ...played }: Played): Sum => ({
  histories: sum.histories + 1,
  decided: sum.decided + played.decided,
  arrived: sum.arrived + played.arrived,
  repeated: sum.repeated + played.repeated,
  crashes: sum.crashes + played.crashes,
  delays: sum.delays,
  broken: first ? [...sum.broken, { seed, ...first }] : sum.broken,
});

/** What was wrong with a channel, as the table says it. */
const causes: Readonly<Record<string, string>> = {
  gone: 'nothing listened',
  failing: 'HTTP 500',
  busy: '429, Retry-After 30 s',
  slow: 'answers after 3 s',
  refuse: 'each message refused',
  broken: 'HTTP 404: only people can mend it',
  swallow: 'took it in and never answered',
};

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;

/** Time from the moment a channel is back to the arrival of what waited for it, by what was wrong with it. Pure. */
export function delayTable(delays: readonly Delay[]): string {
  const rows = Object.entries(causes).flatMap(([after, cause]) => {
    const own = delays.filter((delay) => delay.after === after);
    const firsts = own
      .filter(({ isFirst }) => isFirst)
      .map(({ ms }) => ms)
      .toSorted((a, b) => a - b);
    const at = (share: number): string => seconds(firsts[Math.max(0, Math.ceil(firsts.length * share) - 1)] ?? 0);
    return own.length === 0
      ? []
      : [[cause, showCount(own.length), at(0.5), at(0.99), at(1), seconds(Math.max(...own.map(({ ms }) => ms)))]];
  });
  return markdownTable(['the channel before', 'messages that waited', 'first: p50', 'p99', 'longest', 'any: longest'], rows);
}

/** The rules, and how many histories broke each. Pure. */
export function ruleTable({ broken }: Sum): string {
  const count = (rule: string): string => String(broken.filter((each) => each.rule === rule).length);
  return markdownTable(
    ['rule', 'histories that broke it'],
    Object.entries(rules).map(([rule, says]) => [says, count(rule)]),
  );
}
