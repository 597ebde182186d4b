import { createRandom } from '#loadtest/generate/random.ts';
import { readGoods } from '#loadtest/scenarios/shop/catalogue.ts';
import { createHttpClient } from '#loadtest/targets/http-client.ts';
import { readAftermath, resolveOpen, untilQuiet } from './aftermath.ts';
import { openCourse, type Course } from './asking.ts';
import { buy } from './clients/buyer.ts';
import { keep } from './clients/keeper.ts';
import { comeAndGo } from './clients/leaver.ts';
import { keepChanging } from './clients/password.ts';
import { stayLoggedIn } from './clients/session.ts';
import { serve } from './clients/staff.ts';
import type { History, What } from './history.ts';
import { judge } from './judge.ts';
import { torment, type Struck } from './nemesis.ts';
import type { Violation } from './rules.ts';
import type { Fault, FaultKind } from './schedule.ts';
import { setUp, type Crowd, type Shop } from './set-up.ts';
import type { Stack } from './stack.ts';

/** One round: a stack is tormented under its clients, brought back, asked for what is open, and judged. */

export type RoundOptions = {
  readonly seed: number;
  readonly durationMs: number;
  /** Played on until so many requests have been sent, `mostStretched` times as long at most; default: 0. */
  readonly leastRequests?: number;
  readonly faults: readonly Fault[];
  readonly crowd?: Crowd;
  /** Requests at most, so long after the start; default: as many as the crowd likes. */
  readonly perSecond?: (playedMs: number) => number;
  /** Ends the play early; what was played is judged all the same. */
  readonly signal: AbortSignal;
  readonly onProgress: (text: string) => void;
};

/** A machine that does a fifth is given five times as long. */
export const mostStretched = 5;

export const usualCrowd: Crowd = { buyers: 40, staff: 6, sessions: 4, leavers: 10, keepers: 8, changers: 3 };

export type RoundResult = {
  readonly seed: number;
  readonly playedMs: number;
  readonly requests: number;
  readonly unanswered: number;
  /** Answers by status and route. */
  readonly byAnswer: Readonly<Record<string, number>>;
  /** Faults that hit something, by kind, and those that found nothing to hit. */
  readonly hits: Readonly<Partial<Record<FaultKind, number>>>;
  readonly missed: number;
  /** Writes by kind and outcome, such as `order acknowledged`. */
  readonly writes: Readonly<Record<string, number>>;
  /** Keys that were open when the faults were over. */
  readonly open: number;
  readonly violations: readonly Violation[];
};

export async function playRound(stack: Stack, options: RoundOptions): Promise<RoundResult> {
  const { seed, durationMs, leastRequests = 0, faults, crowd = usualCrowd, perSecond = () => Infinity, signal, onProgress } = options;
  const shop = await setUp(stack, crowd, seed);
  const struck: Struck[] = [];
  const startedMs = performance.now();
  const playedMs = (): number => performance.now() - startedMs;
  const isOver = (): boolean =>
    signal.aborted || (playedMs() >= durationMs && (course.count.requests >= leastRequests || playedMs() >= mostStretched * durationMs));
  const connections = 2 * Object.values(crowd).reduce((sum, count) => sum + count, 0);
  const course: Course = openCourse(stack.origin, connections, isOver, () => perSecond(playedMs()));
  const ticker = setInterval(() => onProgress(tell(course, struck, playedMs())), 1_000);
  const over = new AbortController();
  try {
    await Promise.all([
      Promise.all(playersOf(course, shop, crowd, seed)).finally(() => over.abort()),
      torment(stack, faults, { signal: AbortSignal.any([signal, over.signal]), onStruck: (one) => void struck.push(one) }),
    ]);
    const endedMs = playedMs();
    onProgress('bringing everything back…');
    await stack.untilReady();
    await untilQuiet(stack);
    onProgress('asking for what is open…');
    const open = await resolveOpen(course, seed);
    onProgress('judging…');
    return { seed, playedMs: endedMs, ...countOf(course, struck), open, violations: await judgeRound(stack, shop, course) };
  } finally {
    clearInterval(ticker);
    await course.close();
  }
}

function playersOf(
  course: Course,
  { products: goods, registers, buyers, placed, keepers, kept, known }: Shop,
  crowd: Crowd,
  seed: number,
): Promise<void>[] {
  const products = goods.map(({ id }) => id);
  let stream = 100;
  const random = (): ReturnType<typeof createRandom> => createRandom(seed, (stream += 1));
  const many = (count: number, start: (name: string) => Promise<void>): Promise<void>[] =>
    Array.from({ length: count }, (_, index) => start(`${seed}-${index}`));
  return [
    ...buyers.map((client) => buy({ course, random: random(), client, products, placed })),
    ...keepers.map((client) => keep({ course, random: random(), client, products: kept, known })),
    ...many(crowd.staff, (name) => serve({ course, random: random(), name, placed, registers })),
    ...many(crowd.sessions, (name) => stayLoggedIn({ course, random: random(), name: `session-${name}` })),
    ...many(crowd.changers, (name) => keepChanging({ course, random: random(), name: `changer-${name}` })),
    ...many(crowd.leavers, (name) => comeAndGo({ course, random: random(), name: `leaver-${name}`, products })),
  ];
}

async function judgeRound(stack: Stack, { products, registers, buyers, keepers, mark }: Shop, course: Course): Promise<Violation[]> {
  const http = createHttpClient(stack.origin);
  try {
    const ordering = [...buyers.map(({ clientId }) => clientId), ...clientsOf(course.history)];
    const aftermath = await readAftermath(stack, {
      mark,
      buyers: [...new Set(ordering)],
      keepers: keepers.map(({ clientId }) => clientId),
      registers: registers.ids,
    });
    const { products: after } = await readGoods(http);
    const { history, seen } = course;
    return judge({ history, seen, aftermath, products, productsAfter: after });
  } finally {
    await http.close();
  }
}

const clientsOf = (history: History): number[] => history.flatMap(({ what }) => (what.kind === 'order' ? [what.client] : []));

function countOf(course: Course, struck: readonly Struck[]) {
  const { requests, unanswered, byAnswer } = course.count;
  const hits = countEach(struck.flatMap(({ fault, isHit }) => (isHit ? [fault.kind] : [])));
  const writes = countEach(course.history.map(({ what, outcome }: { what: What; outcome: string }) => `${what.kind} ${outcome}`));
  return {
    requests,
    unanswered,
    byAnswer: Object.fromEntries(byAnswer),
    hits,
    missed: struck.filter(({ isHit }) => !isHit).length,
    writes,
  };
}

function countEach<K extends string>(names: readonly K[]): Record<K, number> {
  const counts = {} as Record<K, number>;
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

function tell({ count: { requests, unanswered }, history, seen }: Course, struck: readonly Struck[], playedMs: number): string {
  const hits = struck.filter(({ isHit }) => isHit).length;
  return `${Math.round(playedMs / 1_000)} s, ${requests} requests, ${unanswered} unanswered, ${history.length} writes, ${hits} faults, ${seen.length} wrong answers`;
}
