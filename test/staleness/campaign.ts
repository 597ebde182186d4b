import { setTimeout as sleep } from 'node:timers/promises';
import { openConnection, type Connection } from '#loadtest/generate/connection.ts';
import { pick, randomInt, type Random } from '#loadtest/generate/random.ts';
import type { ApiProcess } from '../support/api-process.ts';
import { askOf, kinds, popular, things, type Kind } from './things.ts';
import { createTold, judgeAnswer, type Row, type Told } from './told.ts';
import type { Way } from './way.ts';

/** Reads beside writes: whether an answer ever shows less than what had been answered to a writer before it was asked for. */

export type CampaignOptions = {
  readonly apis: readonly ApiProcess[];
  /** Process ids of its workers. */
  readonly workersOf: (api: ApiProcess) => Promise<readonly number[]>;
  /** By which some of them reach the database. */
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
  const { reads, readers, writers, signal, onProgress } = options;
  const tally = none();
  const course: Course = { ...options, tally, told: createTold(), isOver: () => tally.reads >= reads || signal.aborted };
  const ticker = setInterval(() => onProgress(tally), 1_000);
  try {
    await Promise.all([
      ...Array.from({ length: readers }, () => asked(course, (ask) => read(course, ask))),
      ...Array.from({ length: writers }, (_, writer) => asked(course, (ask) => write(course, writer, ask))),
      disturb(course),
    ]);
  } finally {
    clearInterval(ticker);
  }
  return tally;
}

type Course = CampaignOptions & { readonly tally: Tally; readonly told: Told; readonly isOver: () => boolean };

/** Undefined where it was not answered, or with an error. */
type Ask = (path: string, body?: object) => Promise<unknown>;

/** Nothing is ever deleted: who does not find a thing looks at something else than the database. */
const missing: readonly Row[] = [];

/** One client, with a connection of its own to each instance. */
async function asked({ apis, random, headers, tally }: Course, use: (ask: Ask) => Promise<void>): Promise<void> {
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

/** Reads of one resource before the next one has its turn. */
const readsInTurn = 500;

/**
 * One reader: of everything, but most of it of the one resource that all readers ask for at the time, so that many reads of one
 * statement meet.
 */
async function read({ random, told, tally, isOver }: Course, ask: Ask): Promise<void> {
  while (!isOver()) {
    const inTurn = kinds[Math.floor(tally.reads / readsInTurn) % kinds.length] as Kind;
    const kind = random() < 0.7 ? inTurn : random() < 0.5 ? 'products' : pick(random, kinds);
    const { path, shows } = askOf(random, kind);
    // Before it is sent, so that all that is told from here on may be missing.
    const before = told.count();
    const answer = await ask(`/api/v1/${kind}${path}`);
    if (answer === undefined) continue;
    const { shown, stale } = judgeAnswer(told, kind, (Array.isArray(answer) ? answer : [answer]) as Row[], before, shows);
    tally.reads += 1;
    tally.of[kind].reads += 1;
    tally.shown += shown;
    if (stale !== undefined) note(tally, kind, `GET /api/v1/${kind}${path}: ${stale}`);
  }
}

function note(tally: Tally, kind: Kind, witness: string): void {
  tally.stale += 1;
  tally.of[kind].stale += 1;
  if (tally.of[kind].stale <= 3) tally.witnesses.push(witness);
}

/** One writer, the only one of its things. */
async function write({ writers, random, told, tally, isOver }: Course, writer: number, ask: Ask): Promise<void> {
  while (!isOver()) {
    const inTurn = kinds[Math.floor(tally.reads / readsInTurn) % kinds.length] as Kind;
    const kind = random() < 0.8 ? inTurn : pick(random, kinds);
    const { count, change } = things[kind];
    const own = Math.ceil((count - writer) / writers);
    const id = 1 + writer + writers * (popular(random, own) - 1);
    const row = (await ask(`/api/v1/${kind}/${id}`, change(random))) as Row | undefined;
    if (row === undefined || row.version === undefined) continue;
    tally.writes += 1;
    tally.of[kind].writes += 1;
    told.add(kind, id, row.version);
  }
}

/** About once a second a worker stands still, or an instance is not answered by the database for a moment; now and then a worker is killed. */
async function disturb({ apis, workersOf, way, random, tally, isOver }: Course): Promise<void> {
  while (!isOver()) {
    await sleep(randomInt(random, 200, 1_200));
    const dice = random();
    if (dice < 0.5) {
      way.hold();
      tally.holds += 1;
      await sleep(randomInt(random, 20, 400));
      way.letGo();
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
