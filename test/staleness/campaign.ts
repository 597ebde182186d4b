import { setTimeout as sleep } from 'node:timers/promises';
import { openConnection, type Connection } from '#loadtest/generate/connection.ts';
import { pick, randomInt, type Random } from '#loadtest/generate/random.ts';
import type { ApiProcess } from '../support/api-process.ts';

/** Reads beside writes: whether an answer ever shows less than what had been answered to a writer before it was asked for. */

export type CampaignOptions = {
  readonly apis: readonly ApiProcess[];
  readonly workersOf: (api: ApiProcess) => Promise<readonly number[]>;
  readonly headers: Readonly<Record<string, string>>;
  /** Ids of the products that are written and read, each at version 1. */
  readonly products: readonly number[];
  readonly reads: number;
  readonly readers: number;
  readonly writers: number;
  readonly random: Random;
  /** Ends it before. */
  readonly signal: AbortSignal;
  readonly onProgress: (tally: Tally) => void;
};

export type Tally = {
  /** Answers looked at, and products in them. */
  reads: number;
  products: number;
  stale: number;
  writes: number;
  /** Requests that were not answered, or with an error: kills and freezes cost some. */
  failed: number;
  kills: number;
  freezes: number;
  /** The first stale answers, in words. */
  readonly witnesses: string[];
};

type Row = { readonly id_key: number; readonly version: number };

/** What writers have been told, in the order in which they were. */
type Told = {
  readonly add: (id: number, version: number) => void;
  /** How much has been told. */
  readonly count: () => number;
  /** The newest version of a product among the first `count` that were told, which is what whoever asked then must be shown. */
  readonly leastOf: (id: number, count: number) => number;
};

function createTold(products: readonly number[]): Told {
  let count = 0;
  const byId = new Map(products.map((id) => [id, [{ at: 0, version: 1 }]]));
  return {
    add: (id, version) => byId.get(id)?.push({ at: ++count, version }),
    count: () => count,
    leastOf: (id, before) => byId.get(id)?.findLast(({ at }) => at <= before)?.version ?? 0,
  };
}

/** Runs until so many answers have been looked at. */
export async function runCampaign(options: CampaignOptions): Promise<Tally> {
  const { reads, readers, writers, products, signal, onProgress } = options;
  const tally: Tally = { reads: 0, products: 0, stale: 0, writes: 0, failed: 0, kills: 0, freezes: 0, witnesses: [] };
  const course: Course = { ...options, tally, told: createTold(products), isOver: () => tally.reads >= reads || signal.aborted };
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
      // Every product is there all the time: who does not find one looks at something else than the database.
      if (answer.kind === 'answer' && answer.status === 404) return missing;
      // A worker that was killed takes its connections with it.
      tally.failed += 1;
      await sleep(10);
      return undefined;
    });
  } finally {
    await Promise.all(connections.map((connection) => connection.close()));
  }
}

/** One reader: single products, and a few pages and searches that many ask for at once. */
async function read({ products, random, told, tally, isOver }: Course, ask: Ask): Promise<void> {
  while (!isOver()) {
    const dice = random();
    const skip = 20 * randomInt(random, 0, 2);
    const list =
      dice < 0.8
        ? `?skip=${skip}&limit=20`
        : `/filter?search=thing&sort_by=name&${dice < 0.9 ? `skip=${skip}&limit=20` : `limit=${skip + 1}`}`;
    const toldBefore = told.count();
    const path = `/api/v1/products${dice < 0.6 ? `/${pick(random, products)}` : list}`;
    const shown = await ask(path);
    if (shown === undefined) continue;
    tally.reads += 1;
    if (shown === missing) note(tally, `GET ${path}: not found`);
    for (const { id_key: id, version } of (Array.isArray(shown) ? shown : [shown]) as Row[]) {
      tally.products += 1;
      const least = told.leastOf(id, toldBefore);
      if (version < least) note(tally, `GET ${path}: product ${id} at version ${version}, after ${least} was answered`);
    }
  }
}

function note(tally: Tally, witness: string): void {
  tally.stale += 1;
  if (tally.witnesses.length < 5) tally.witnesses.push(witness);
}

/** One writer, the only one of its products. */
async function write({ products, writers, random, told, tally, isOver }: Course, writer: number, ask: Ask): Promise<void> {
  const own = products.filter((_, index) => index % writers === writer);
  while (!isOver()) {
    const id = pick(random, own);
    const row = (await ask(`/api/v1/products/${id}`, { stock: randomInt(random, 0, 999) })) as Row | undefined;
    if (row === undefined) continue;
    tally.writes += 1;
    told.add(id, row.version);
  }
}

/** Every few seconds a worker is killed, or stands still for a moment. */
async function disturb({ apis, workersOf, random, tally, isOver }: Course): Promise<void> {
  while (!isOver()) {
    for (let left = randomInt(random, 20, 60); left > 0 && !isOver(); left -= 1) await sleep(100);
    const workers = await workersOf(pick(random, apis));
    if (isOver() || workers.length === 0) continue;
    const pid = pick(random, workers);
    if (random() < 0.5) {
      process.kill(pid, 'SIGKILL');
      tally.kills += 1;
    } else {
      process.kill(pid, 'SIGSTOP');
      await sleep(randomInt(random, 100, 1_500));
      process.kill(pid, 'SIGCONT');
      tally.freezes += 1;
    }
  }
}
