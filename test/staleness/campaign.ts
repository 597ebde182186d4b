// Readers, writers and what disturbs them share one course, and are followed in one piece; so it is long.

import { setTimeout as sleep } from 'node:timers/promises';
import { openConnection, type Connection } from '#loadtest/generate/connection.ts';
import { pick, randomInt, type Random } from '#loadtest/generate/random.ts';
import type { ApiProcess } from '../support/api-process.ts';
import { askOf, kinds, popular, things, type Asked, type Kind } from './things.ts';
import { createTold, judgeAnswer, type Row, type Told } from './told.ts';
import type { Way } from './way.ts';

/** Reads beside writes: whether an answer ever shows less than what had been answered to a writer before it was asked for. */

export type CampaignOptions = {
  readonly apis: readonly ApiProcess[];
  /** Process ids of its workers. */
  readonly workersOf: (api: ApiProcess) => Promise<readonly number[]>;
  /** By which the last of them reaches the database. */
  readonly way: Pick<Way, 'hold' | 'letGo'>;
  readonly headers: Readonly<Record<string, string>>;
  readonly reads: number;
  readonly readers: number;
  /** No more than there are of any resource, so that each has things of its own. */
  readonly writers: number;
  readonly random: Random;
  /** Ends it before. */
  readonly signal: AbortSignal;
  readonly onProgress: (tally: Tally) => void;
};

export type Tally = {
  /** Answers looked at, and things in them. */
  reads: number;
  shown: number;
  stale: number;
  writes: number;
  /** Requests that were not answered, or with an error: kills and freezes cost some. */
  failed: number;
  kills: number;
  freezes: number;
  /** Moments in which the answers of the database were held back. */
  holds: number;
  /** Of each resource. */
  readonly of: Record<Kind, { reads: number; writes: number; stale: number }>;
  /** The first stale answers of each resource, in words. */
  readonly witnesses: string[];
};

const none = (): Tally => ({
  reads: 0,
  shown: 0,
  stale: 0,
  writes: 0,
  failed: 0,
  kills: 0,
  freezes: 0,
  holds: 0,
  of: Object.fromEntries(kinds.map((kind) => [kind, { reads: 0, writes: 0, stale: 0 }])) as Tally['of'],
  witnesses: [],
});

/** Runs until so many answers have been looked at. */
export async function runCampaign(options: CampaignOptions): Promise<Tally> {
  const { apis, reads, readers, writers, signal, onProgress } = options;
  const tally = none();
  const course: Course = { ...options, tally, told: createTold(), isQuiet: false, isOver: () => tally.reads >= reads || signal.aborted };
  const ticker = setInterval(() => onProgress(tally), 1_000);
  try {
    await Promise.all([
      // Each stays with one instance, so that the others are read while one stands still.
      ...Array.from({ length: readers }, (_, reader) =>
        asked(course, [apis[reader % apis.length] as ApiProcess], (ask) => read(course, ask, reader % apis.length === apis.length - 1)),
      ),
      ...Array.from({ length: writers }, (_, writer) => asked(course, course.apis, (ask) => write(course, writer, ask))),
      asked(course, apis.slice(0, -1), (writing) => withAsks(course, apis.slice(-1), (ambushing) => disturb(course, writing, ambushing))),
    ]);
  } finally {
    clearInterval(ticker);
  }
  return tally;
}

type Course = CampaignOptions & {
  readonly tally: Tally;
  readonly told: Told;
  /** While the last instance is left alone for an ambush: the questions of others would take its connections, and keep them. */
  isQuiet: boolean;
  readonly isOver: () => boolean;
};

/** Undefined where it was not answered, or with an error. */
type Ask = (path: string, body?: object) => Promise<unknown>;

/** Nothing is ever deleted: who does not find a thing looks at something else than the database. */
const missing: readonly Row[] = [];

/** One client, with a connection of its own to each of these instances. */
async function asked({ random, headers, tally }: Course, apis: readonly ApiProcess[], use: (ask: Ask) => Promise<void>): Promise<void> {
  const connections: readonly Connection[] = apis.map(({ url }) => openConnection(url, 20_000));
  try {
    await use(async (path, body) => {
      const answer = await pick(random, connections).send(
        body
          ? {
              endpoint: 'write',
              method: 'PUT',
              path,
              headers: { ...headers, 'content-type': 'application/json' },
              body: JSON.stringify(body),
            }
          : { endpoint: 'read', method: 'GET', path, headers },
      );
      if (answer.kind === 'answer' && answer.status === 200) return JSON.parse(answer.body) as unknown;
      if (answer.kind === 'answer' && answer.status === 404) return missing;
      tally.failed += 1;
      // A worker that was killed takes its connections with it; who is turned away by a busy one stays away for a while.
      await sleep(answer.kind === 'answer' ? 300 : 10);
      return undefined;
    });
  } finally {
    await Promise.all(connections.map((connection) => connection.close()));
  }
}

/** As many clients as lie in ambush. */
function withAsks(
  course: Course,
  apis: readonly ApiProcess[],
  use: (asks: readonly Ask[]) => Promise<void>,
  asks: readonly Ask[] = [],
): Promise<void> {
  if (asks.length === ambushers) return use(asks);
  return asked(course, apis, (ask) => withAsks(course, apis, use, [...asks, ask]));
}

/** Reads of one resource before the next one has its turn. */
const readsInTurn = 500;

/**
 * One reader: of everything, but most of it of the one resource that all readers ask for at the time, so that many reads of one
 * statement meet.
 */
async function read(course: Course, ask: Ask, isOfLast: boolean): Promise<void> {
  const { random, isOver } = course;
  while (!isOver()) {
    const kind = random() < 0.7 ? inTurn(course) : random() < 0.5 ? 'products' : pick(random, kinds);
    if (isOfLast && course.isQuiet) await sleep(20);
    else await look(course, ask, kind, askOf(random, kind));
  }
}

const inTurn = ({ tally }: Course): Kind => kinds[Math.floor(tally.reads / readsInTurn) % kinds.length] as Kind;

async function look({ told, tally }: Course, ask: Ask, kind: Kind, { path, shows }: Asked): Promise<void> {
  // Before it is sent, so that all that is told from here on may be missing.
  const before = told.count();
  const answer = await ask(`/api/v1/${kind}${path}`);
  if (answer === undefined) return;
  const { shown, stale } = judgeAnswer(told, kind, (Array.isArray(answer) ? answer : [answer]) as Row[], before, shows);
  tally.reads += 1;
  tally.of[kind].reads += 1;
  tally.shown += shown;
  if (stale !== undefined) note(tally, kind, `GET /api/v1/${kind}${path}: ${stale}`);
}

function note(tally: Tally, kind: Kind, witness: string): void {
  tally.stale += 1;
  tally.of[kind].stale += 1;
  if (tally.of[kind].stale <= 3) tally.witnesses.push(witness);
}

/** One writer, of things of its own, so that writers seldom wait for each other. */
async function write(course: Course, writer: number, ask: Ask): Promise<void> {
  const { writers, random, isOver } = course;
  while (!isOver()) {
    const kind = random() < 0.8 ? inTurn(course) : pick(random, kinds);
    const own = Math.ceil((things[kind].count - writer) / writers);
    await change(course, ask, kind, 1 + writer + writers * (popular(random, own) - 1));
  }
}

async function change({ random, told, tally }: Course, ask: Ask, kind: Kind, id: number): Promise<void> {
  const row = (await ask(`/api/v1/${kind}/${id}`, things[kind].change(random))) as Row | undefined;
  if (row?.version === undefined) return;
  tally.writes += 1;
  tally.of[kind].writes += 1;
  told.add(kind, id, row.version);
}

/** So many that two of them meet in a worker. */
const ambushers = 16;

/** By then what was asked is answered. */
const quietMs = 100;
/** A writer whose answer is held back may keep what is to be changed locked. */
const mostHeldMs = 500;

/**
 * While the answers of the database are held back from an instance, a thing is read there, changed through the others, and read there
 * again: by then the first question has been sent, and whoever joins it is shown what was before.
 */
async function ambush(course: Course, writing: Ask, asks: readonly Ask[]): Promise<void> {
  const { way, random, tally } = course;
  const kind = pick(random, kinds);
  const id = popular(random, things[kind].count);
  const lookAll = (some: readonly Ask[]): Promise<unknown> =>
    Promise.all(some.map((ask) => look(course, ask, kind, { path: `/${id}`, shows: 1 })));
  course.isQuiet = true;
  await sleep(quietMs);
  way.hold();
  tally.holds += 1;
  const first = lookAll(asks.slice(0, ambushers / 2));
  await sleep(randomInt(random, 50, 200));
  await Promise.race([change(course, writing, kind, id), sleep(mostHeldMs)]);
  const second = lookAll(asks.slice(ambushers / 2));
  await sleep(randomInt(random, 50, 200));
  way.letGo();
  course.isQuiet = false;
  await Promise.all([first, second]);
}

/** The answers of the database are held back from an instance that everybody reads. */
async function holdBack({ way, random, tally }: Course): Promise<void> {
  way.hold();
  tally.holds += 1;
  await sleep(randomInt(random, 20, 400));
  way.letGo();
}

/** About once a second a worker stands still, or an instance is not answered by the database for a moment; now and then a worker is killed. */
async function disturb(course: Course, writing: Ask, ambushing: readonly Ask[]): Promise<void> {
  const { apis, workersOf, random, tally, isOver } = course;
  while (!isOver()) {
    await sleep(randomInt(random, 200, 1_200));
    const dice = random();
    if (dice < 0.5) {
      await (dice < 0.35 ? ambush(course, writing, ambushing) : holdBack(course));
      continue;
    }
    const workers = await workersOf(pick(random, apis));
    if (isOver() || workers.length === 0) continue;
    const pid = pick(random, workers);
    if (dice < 0.6) {
      tally.kills += signalTo(pid, 'SIGKILL');
      continue;
    }
    tally.freezes += signalTo(pid, 'SIGSTOP');
    await sleep(randomInt(random, 100, 1_500));
    signalTo(pid, 'SIGCONT');
  }
}

/** 1, or 0 where the process has gone in the meantime. */
function signalTo(pid: number, name: NodeJS.Signals): number {
  try {
    return Number(process.kill(pid, name));
  } catch {
    return 0;
  }
}
